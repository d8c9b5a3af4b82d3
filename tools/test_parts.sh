#!/bin/sh
# Installs what the tests use beyond `pip install`: anvil (npm, into node_modules), Chromium, PostgreSQL
# and NATS (apt; the tests start servers of their own), torch.
# Never fails: tests whose part is missing skip and say so, and under CI=true they fail.
cd "$(dirname "$0")/.." || exit
complete=yes

lacking() {
  echo "test parts: $1"
  complete=no
}

apt_install() { # names of Debian packages
  [ "$(id -u)" = 0 ] && command -v apt-get >/dev/null || return 1
  { apt-get update -q && DEBIAN_FRONTEND=noninteractive \
    apt-get install -qy --no-install-recommends "$@"; } >/dev/null
}

has_chromium() {
  command -v chromium || command -v chromium-browser || command -v google-chrome
} >/dev/null

has_postgres() {
  command -v initdb || ls /usr/lib/postgresql/*/bin/initdb
} >/dev/null 2>&1

has_nats() {
  command -v nats-server || ls /usr/sbin/nats-server
} >/dev/null 2>&1

has_torch() {
  .venv/bin/python -c "import importlib.util as i; i.find_spec('torch').name, i.find_spec('opacus').name"
} 2>/dev/null

torch_install() { # the wheel for processors only, where pip knows of one: the other is gigabytes
  version=$(sed -n "s/^torch==//p" constraints.txt)
  .venv/bin/python -m pip install -qq --constraint constraints.txt "torch==$version+cpu" opacus
} 2>/dev/null

command -v npm >/dev/null || apt_install npm
npm ci --ignore-scripts --no-audit --no-fund --loglevel=error || lacking "no anvil (needs npm)"
has_chromium || apt_install chromium || lacking "no Chromium (as root: apt-get install chromium)"
has_postgres || apt_install postgresql || lacking "no PostgreSQL (as root: apt-get install postgresql)"
has_nats || apt_install nats-server || lacking "no NATS (as root: apt-get install nats-server)"
has_torch || torch_install || lacking "no torch (pip install 'veridict[torch]')"

if [ $complete = yes ]; then touch node_modules/.ready; fi # otherwise the next run tries again
