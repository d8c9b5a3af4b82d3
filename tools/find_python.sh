#!/bin/sh
# Prints the newest Python from 3.11 to 3.13 that really runs here and can make an environment.
# (A version manager may leave commands on the PATH that only print an error; so each is tried.)
usable='import ensurepip, sqlite3, ssl, sys, venv
sys.exit(not (3, 11) <= sys.version_info[:2] <= (3, 13))'

find_python() {
  for name in python3.13 python3.12 python3.11 python3 python; do
    old_ifs=$IFS; IFS=:
    for directory in $PATH; do
      if "$directory/$name" -c "$usable" >/dev/null 2>&1; then
        echo "$directory/$name"
        return 0
      fi
    done
    IFS=$old_ifs
  done
  return 1
}

find_python && exit
if [ "$(id -u)" = 0 ] && command -v apt-get >/dev/null; then # Debian ships venv apart
  { apt-get update -q && apt-get install -qy python3 python3-venv; } >&2
  find_python && exit
fi
echo "veridict needs Python 3.11, 3.12 or 3.13 with its venv module; install one and try again" >&2
exit 1
