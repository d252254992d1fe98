# Every image of the project, from one build: each target is one file on top of Node.
#   docker build --target migrate .        the init containers
#   docker build --target bootstrap .      seeds Vault and Postgres
#   docker build --target services-api .   an app (likewise content-api)
ARG NODE_IMAGE=node:24-slim

FROM ${NODE_IMAGE} AS build
WORKDIR /source
COPY package.json package-lock.json ./
COPY foundation/package.json foundation/
COPY migrations/package.json migrations/
COPY vault/package.json vault/
COPY chassis/package.json chassis/
COPY scripts/package.json scripts/
COPY services-api/package.json services-api/
COPY content-api/package.json content-api/
RUN npm ci --ignore-scripts --no-audit --no-fund
COPY . .
RUN npm run build -- migrate bootstrap services-api content-api

FROM ${NODE_IMAGE} AS program
LABEL org.opencontainers.image.vendor="lockstep" org.opencontainers.image.licenses="MIT"
ENV NODE_ENV=production
WORKDIR /app
USER node

FROM program AS migrate
LABEL org.opencontainers.image.title="lockstep migrate" \
      org.opencontainers.image.description="Runs a service's migrations, once, before its app"
COPY --from=build /source/migrations/dist/migrate.cjs /app/
ENTRYPOINT ["node", "/app/migrate.cjs"]
CMD ["up"]

FROM program AS bootstrap
LABEL org.opencontainers.image.title="lockstep bootstrap" \
      org.opencontainers.image.description="Seeds a development Vault and Postgres for the stack's services"
# A role's credentials volume takes its owner from the folder it is first mounted on.
USER root
RUN mkdir -p /run/credentials/services-api-migrator /run/credentials/services-api-app \
             /run/credentials/content-api-migrator /run/credentials/content-api-app \
 && chown -R node:node /run/credentials
USER node
COPY --from=build /source/vault/dist/bootstrap.cjs /app/
ENTRYPOINT ["node", "/app/bootstrap.cjs"]

FROM program AS services-api
LABEL org.opencontainers.image.title="lockstep services-api"
COPY --from=build /source/services-api/dist/server.cjs /app/
EXPOSE 8080
ENTRYPOINT ["node", "/app/server.cjs"]

FROM program AS content-api
LABEL org.opencontainers.image.title="lockstep content-api"
COPY --from=build /source/content-api/dist/server.cjs /app/
EXPOSE 8080
ENTRYPOINT ["node", "/app/server.cjs"]
