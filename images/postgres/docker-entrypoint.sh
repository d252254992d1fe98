#!/bin/sh
# Starts Postgres as the official image's entry point does: makes a database cluster when there is none, then becomes the
# server. Unlike there, an initialisation that was cut off is begun anew at the next start, its scripts included.
set -eu

fail() {
  printf 'docker-entrypoint: %s\n' "$@" >&2
  exit 1
}

# Sets the variable $1 from its own value, from the file its _FILE variable names, or to $2.
read_setting() {
  eval "value=\${$1-} file=\${$1_FILE-}"
  [ -z "$value" ] || [ -z "$file" ] || fail "$1 and $1_FILE are both set; set one"
  if [ -n "$file" ]; then
    value=$(cat -- "$file") || fail "$1_FILE cannot be read"
  fi
  [ -n "$value" ] || value=$2
  eval "$1=\$value"
  unset "$1_FILE"
}

read_settings() {
  read_setting POSTGRES_PASSWORD ''
  read_setting POSTGRES_USER postgres
  read_setting POSTGRES_DB "$POSTGRES_USER"
  read_setting POSTGRES_INITDB_ARGS ''
  : "${POSTGRES_HOST_AUTH_METHOD:=scram-sha-256}"
  [ -z "${POSTGRES_INITDB_WALDIR-}" ] || fail 'POSTGRES_INITDB_WALDIR is not known to this stand-in'
  [ -n "$POSTGRES_PASSWORD" ] || [ "$POSTGRES_HOST_AUTH_METHOD" = trust ] || fail \
    'the database is not initialised and no superuser password is given' \
    '  set POSTGRES_PASSWORD or POSTGRES_PASSWORD_FILE, or, to let anybody in, POSTGRES_HOST_AUTH_METHOD=trust'
  [ "$POSTGRES_HOST_AUTH_METHOD" != trust ] || echo 'docker-entrypoint: warning: trust lets anybody in without a password' >&2
}

# Makes the cluster in $1. The password goes through a pipe: it is in no file and in no program's arguments.
make_cluster() {
  eval "set -- \"\$1\" $POSTGRES_INITDB_ARGS"
  folder=$1
  shift
  printf '%s\n' "$POSTGRES_PASSWORD" | initdb --pgdata="$folder" --username="$POSTGRES_USER" --pwfile=/dev/stdin \
    --auth=trust --encoding=UTF8 --locale=C --locale-provider=builtin --builtin-locale=C.UTF-8 --no-sync \
    --no-instructions --set=unix_socket_directories=/var/run/postgresql "$@"
  printf '\nhost all all all %s\n' "$POSTGRES_HOST_AUTH_METHOD" >>"$folder/pg_hba.conf"
}

run_sql() {
  PGHOSTADDR='' psql -v ON_ERROR_STOP=1 --no-psqlrc --no-password --username="$POSTGRES_USER" "$@"
}

run_scripts() {
  for script in /docker-entrypoint-initdb.d/*; do
    [ -e "$script" ] || continue
    case $script in
      *.sh) if [ -x "$script" ]; then "$script"; else . "$script"; fi ;;
      *.sql) run_sql --dbname="$POSTGRES_DB" --file="$script" ;;
      *.sql.gz) gunzip -c "$script" | run_sql --dbname="$POSTGRES_DB" ;;
      *.sql.xz) xzcat "$script" | run_sql --dbname="$POSTGRES_DB" ;;
      *) echo "docker-entrypoint: $script is ignored" >&2 && continue ;;
    esac
    echo "docker-entrypoint: $script is done" >&2
  done
}

# The database and the scripts, on a server that only this container reaches.
fill_cluster() {
  set -- "$PGDATA" /docker-entrypoint-initdb.d/*
  if [ "$POSTGRES_DB" = postgres ] && [ ! -e "$2" ]; then return; fi
  export POSTGRES_USER POSTGRES_DB POSTGRES_PASSWORD PGUSER="${PGUSER:-$POSTGRES_USER}" PGHOST="$sockets"
  pg_ctl --pgdata="$PGDATA" --wait --silent start \
    --options="-c listen_addresses='' -c unix_socket_directories=$sockets -p ${PGPORT:-5432}"
  there=$(run_sql --dbname=postgres --set=name="$POSTGRES_DB" --tuples-only --no-align <<'SQL'
select 1 from pg_database where datname = :'name'
SQL
  )
  [ -n "$there" ] || run_sql --dbname=postgres --set=name="$POSTGRES_DB" --quiet <<'SQL'
create database :"name"
SQL
  run_scripts
  pg_ctl --pgdata="$PGDATA" --wait --silent --mode=fast stop
}

# .unfinished until the cluster is complete, then .whole, then in place, PG_VERSION last: at whatever point this is cut off,
# the next start knows what to do. Inside the data folder, because that may be a volume of its own.
initialise() {
  read_settings
  mkdir -p "$PGDATA" || fail "the data folder $PGDATA cannot be made by uid $(id -u)"
  chmod 700 "$PGDATA" 2>/dev/null || :
  if [ ! -e "$PGDATA/.whole" ]; then
    rm -rf "$PGDATA/.unfinished"
    for other in "$PGDATA"/*; do
      [ ! -e "$other" ] || [ "$other" = "$PGDATA/lost+found" ] || fail "$PGDATA is not empty, and not a Postgres data folder"
    done
    make_cluster "$PGDATA/.unfinished"
    # In a subshell: a script sees the folder as PGDATA, and changes nothing else here.
    (
      PGDATA=$PGDATA/.unfinished
      export PGDATA
      fill_cluster
    )
    mv "$PGDATA/.unfinished" "$PGDATA/.whole"
  fi
  find "$PGDATA/.whole" -mindepth 1 -maxdepth 1 ! -name PG_VERSION -exec mv {} "$PGDATA" \;
  mv "$PGDATA/.whole/PG_VERSION" "$PGDATA"
  rm -rf "$PGDATA/.whole"
  echo 'PostgreSQL init process complete; ready for start up.' >&2
}

case ${1-postgres} in -*) set -- postgres "$@" ;; esac
[ "${1-}" = postgres ] || exec "$@"
for word; do
  case $word in -\? | --help | --describe-config | -V | --version) exec "$@" ;; esac
done

: "${PGDATA:=/var/lib/postgresql/18/docker}"
export PGDATA
if [ "$(id -u)" = 0 ]; then
  mkdir -p "$PGDATA"
  find "$PGDATA" /run/postgresql ! -user postgres -exec chown postgres {} \;
  exec su -s /bin/sh postgres -c 'exec docker-entrypoint.sh "$@"' -- docker-entrypoint.sh "$@"
fi

# Podman 4 loses the mode of a temporary file system below /run; Postgres would not start for want of a socket.
sockets=/var/run/postgresql
if [ ! -w "$sockets" ]; then
  sockets=/tmp
  echo "docker-entrypoint: warning: /var/run/postgresql is closed to uid $(id -u); sockets are in $sockets" >&2
  shift
  set -- postgres -c "unix_socket_directories=$sockets" "$@"
fi

# The first process of a container ends on no signal that it does not take itself.
trap 'fail "stopped before Postgres was started"' INT TERM
[ -s "$PGDATA/PG_VERSION" ] || initialise
trap - INT TERM
unset POSTGRES_PASSWORD POSTGRES_PASSWORD_FILE
exec "$@"
