#!/usr/bin/env bash
# Validate the submissions that a checkout changes, as CI does: changed.sh CHECKOUT BASE_COMMIT [--attested]
#
# They are held against the board that lies beside this script, which is the target branch's. Whoever may not attest may
# add an entry, and change none that is there. Names come from strangers: they are never expanded as code or as options,
# and one that is no name is refused.
set -euo pipefail
checkout=$1 base=$2 attested=${3:-}
if [[ -n $attested && $attested != --attested ]]; then
  printf '%q: is no option\n' "$attested"
  exit 2
fi
board=$(cd -- "$(dirname -- "${BASH_SOURCE[0]}")" && pwd)/submissions

# Of a process substitution nobody would see that it failed.
list=$(mktemp)
trap 'rm -f -- "$list"' EXIT
if ! git -C "$checkout" rev-parse --quiet --verify "$base^{commit}" >"$list"; then
  printf '%q: is no commit that this checkout has\n' "$base"
  exit 1
fi
git -C "$checkout" diff --no-renames --ignore-submodules=none --name-only -z "$base...HEAD" >"$list"

declare -A folders=()
while IFS= read -r -d '' path; do
  if [[ ! $path =~ ^leaderboard/submissions/([a-z0-9][a-z0-9._-]*)/ ]]; then
    printf '%q: a pull request with a submission changes nothing else\n' "$path"
    exit 1
  fi
  folders["${BASH_REMATCH[1]}"]=1
done <"$list"
if [[ ${#folders[@]} -eq 0 ]]; then
  printf 'no submission is changed between %q and HEAD\n' "$base"
  exit 1
fi

# What git has of a path at a commit; nothing where there is none.
at() { git -C "$checkout" rev-parse --quiet --verify "$1:leaderboard/submissions/$2" || true; }

failed=0 sent=() kept=()
for name in "${!folders[@]}"; do
  folder=$checkout/leaderboard/submissions/$name
  if [[ -z $attested && -n $(at "$base" "$name") ]]; then
    printf '%q: changes an entry that is on the board, which those who keep it alone may do\n' "$name"
    failed=1
  fi
  if [[ ! -e $folder && ! -L $folder ]]; then
    printf '%q: was taken back\n' "$name"
    continue
  fi
  # Attestations that stay as they were on the board are nobody's claim.
  was=$(at "$base" "$name/attestations.json")
  if [[ -n $attested || (-n $was && $was == "$(at HEAD "$name/attestations.json")") ]]; then
    kept+=("$folder")
  else
    sent+=("$folder")
  fi
done

if [[ ${#sent[@]} -gt 0 ]]; then
  lrat-bench leaderboard validate --board "$board" -- "${sent[@]}" || failed=1
fi
if [[ ${#kept[@]} -gt 0 ]]; then
  lrat-bench leaderboard validate --attested --board "$board" -- "${kept[@]}" || failed=1
fi
exit "$failed"
