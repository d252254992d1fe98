# Every image of the project, from one build: each is one program on top of Node, and beside it V8's compiled code of it.
#   docker build --target migrate .                           the init containers
#   docker build --target bootstrap .                         seeds Vault and Postgres
#   docker build --target app --build-arg APP=services-api .  an app
# `make images` leaves out the stages `manifests` and `build`, and copies the programs that are built on this machine.
ARG NODE_IMAGE=node:24-slim
# What the programs are built on: needs npm and a shell, which the images themselves do not.
ARG BUILD_IMAGE=${NODE_IMAGE}

# What `npm ci` needs and nothing else, so that it runs again only when one of these changes.
FROM ${BUILD_IMAGE} AS manifests
WORKDIR /source
COPY . .
RUN find . -type f ! -name package.json ! -name package-lock.json -exec rm {} +

FROM ${BUILD_IMAGE} AS build
WORKDIR /source
COPY --from=manifests /source ./
RUN npm ci --ignore-scripts --no-audit --no-fund
COPY . .
# The modes of a checkout under a strict umask would stay with the copies. Not COPY --chmod, which only BuildKit knows.
RUN npm run build \
 && for file in */src/server.ts; do mkdir -p "credentials/${file%%/*}-migrator" "credentials/${file%%/*}-app"; done \
 && chmod -R a+rX */dist credentials

FROM ${NODE_IMAGE} AS program
ARG VERSION=dev
LABEL org.opencontainers.image.vendor="lockstep" \
      org.opencontainers.image.licenses="MIT" \
      org.opencontainers.image.version="${VERSION}"
ENV NODE_ENV=production
WORKDIR /app
USER node
STOPSIGNAL SIGTERM

# In each of these the program comes last: a new one makes one new layer.
FROM program AS migrate
LABEL org.opencontainers.image.title="lockstep migrate" \
      org.opencontainers.image.description="Runs a service's migrations, once, before its app"
ENTRYPOINT ["node", "/app/migrate.start.cjs"]
CMD ["up"]
COPY --from=build /source/migrations/dist/libpg-query.wasm /app/
COPY --from=build /source/migrations/dist/migrate.start.cjs /source/migrations/dist/migrate.cache /source/migrations/dist/migrate.cjs /app/

FROM program AS bootstrap
LABEL org.opencontainers.image.title="lockstep bootstrap" \
      org.opencontainers.image.description="Seeds a development Vault and Postgres for the stack's services"
ENTRYPOINT ["node", "/app/bootstrap.start.cjs"]
# A role's credentials volume takes its owner from the folder it is first mounted on.
COPY --from=build --chown=node:node /source/credentials/ /run/credentials/
COPY --from=build /source/vault/dist/bootstrap.start.cjs /source/vault/dist/bootstrap.cache /source/vault/dist/bootstrap.cjs /app/

FROM program AS app
ARG APP
LABEL org.opencontainers.image.title="lockstep ${APP}" \
      org.opencontainers.image.description="An app that listens only on a schema that is really there"
EXPOSE 8080
# Where nobody else asks: compose.yaml has a check of its own.
HEALTHCHECK --interval=30s --timeout=3s --start-period=30s CMD ["node", "-e", "require('http').get('http://127.0.0.1:8080/ready', (r) => process.exit(r.statusCode === 200 ? 0 : 1)).on('error', () => process.exit(1))"]
ENTRYPOINT ["node", "/app/server.start.cjs"]
COPY --from=build /source/${APP}/dist/server.start.cjs /source/${APP}/dist/server.cache /source/${APP}/dist/server.cjs /app/
