#!/bin/sh
# Installs what the tests use beyond Python: anvil (npm, into node_modules) and Chromium (apt).
# Never fails: tests whose part is missing skip and say so, and under CI=true they fail.
cd "$(dirname "$0")/.." || exit

apt_install() { # names of Debian packages
  if [ "$(id -u)" = 0 ] && command -v apt-get >/dev/null; then
    { apt-get update -q && DEBIAN_FRONTEND=noninteractive \
      apt-get install -qy --no-install-recommends "$@"; } >/dev/null
  else
    return 1
  fi
}

command -v npm >/dev/null || apt_install npm || echo "test parts: no npm, and no way to install it"
if command -v npm >/dev/null; then
  npm ci --ignore-scripts --no-audit --no-fund --loglevel=error || echo "test parts: no anvil"
fi

command -v chromium >/dev/null || command -v chromium-browser >/dev/null \
  || command -v google-chrome >/dev/null || [ "$(uname)" != Linux ] \
  || apt_install chromium || echo "test parts: no Chromium, and no way to install it"
exit 0
