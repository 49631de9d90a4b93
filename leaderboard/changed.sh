#!/usr/bin/env bash
# Validate the submissions that a checkout changes, as CI does: changed.sh CHECKOUT BASE_COMMIT [--attested]
#
# Names come from strangers: they are never expanded as code or as options, and one that is no name is refused.
set -euo pipefail
checkout=$1 base=$2
shift 2

changed=()
while IFS= read -r -d '' path; do
  changed+=("$path")
done < <(git -C "$checkout" diff --no-renames --name-only -z "$base...HEAD")

declare -A folders=()
for path in "${changed[@]}"; do
  if [[ ! $path =~ ^leaderboard/submissions/([a-z0-9][a-z0-9._-]*)/ ]]; then
    printf '%q: a pull request with a submission changes nothing else\n' "$path"
    exit 1
  fi
  folders["${BASH_REMATCH[1]}"]=1
done

failed=0
for name in "${!folders[@]}"; do
  folder=$checkout/leaderboard/submissions/$name
  if [[ -e $folder || -L $folder ]]; then
    lrat-bench leaderboard validate "$@" -- "$folder" || failed=1
  else
    printf '%q: was taken back\n' "$name"
  fi
done
exit "$failed"
