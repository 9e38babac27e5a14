#!/bin/sh
# sh tools/format.sh [--check] [FILE...] - clang-format over our sources (all of them, or the files named)
#
# --check changes nothing and fails, naming the files that would change. single_include/ is generated, so it is left
# out; what git ignores is left out as well.
set -eu
cd "$(dirname "$0")/.."

check=
case ${1:-} in
  --check) check=1; shift ;;
  -h | --help) sed -n '2,5s/^# \{0,1\}//p' "$0"; exit 0 ;;
esac
# One version, since versions disagree; both Debian 12 and 13 package it.
tool=clang-format-19
if ! command -v "$tool" >/dev/null 2>&1; then
  echo "format: no $tool here (sh tools/setup.sh ci)" >&2
  exit 1
fi
list=$(mktemp)
trap 'rm -f "$list"' EXIT
if [ $# -gt 0 ]; then
  printf '%s\n' "$@" >"$list"
else
  git ls-files --cached --others --exclude-standard -- '*.hpp' '*.cpp' '*.cu' '*.cuh' ':!single_include' |
    while IFS= read -r file; do [ ! -f "$file" ] || echo "$file"; done >"$list"
fi
[ -s "$list" ] || { echo "format: 0 files"; exit 0; }
if [ -z "$check" ]; then
  xargs "$tool" -i <"$list"
  echo "format: $(wc -l <"$list") files"
  exit 0
fi
stale=0
while IFS= read -r file; do
  if ! "$tool" "$file" | cmp -s - "$file"; then
    echo "format: $file would change"
    stale=$((stale + 1))
  fi
done <"$list"
echo "format: $(wc -l <"$list") files, $stale would change"
[ "$stale" -eq 0 ]
