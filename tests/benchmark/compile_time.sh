#!/bin/sh
# Measures what the headers cost to compile. Usage: tests/benchmark/compile_time.sh [compiler flags, such as -I...]
# The times are user CPU, medians of ROUNDS rounds in which every source is compiled after the other.
set -eu
cd "$(dirname "$0")/../.."
rounds=${ROUNDS:-5}
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT

grep '^#include <[a-z_]*>' include/anthropic/webhooks/events.hpp >"$work/events_std.cpp"
echo '#include <anthropic/webhooks/events.hpp>' >"$work/events.cpp"
echo '#include <nlohmann/json.hpp>' >"$work/json.cpp"
echo '#include <anthropic/webhooks.hpp>' >"$work/webhooks.cpp"
cat >"$work/parse_call.cpp" <<'END'
#include <nlohmann/json.hpp>
#include <string_view>
nlohmann::json call(std::string_view body) { return nlohmann::json::parse(body); }
END
cat >"$work/unwrap_call.cpp" <<'END'
#include <anthropic/webhooks.hpp>
anthropic::webhooks::UnwrapWebhookEvent call(std::string_view body) { return anthropic::webhooks::unwrap(body); }
END
sources='events_std events json webhooks parse_call unwrap_call'
if echo '#include <date/date.h>' | c++ -E -x c++ - >"$work/preprocessed" 2>&1; then
  printf '#include <%s>\n' nlohmann/json.hpp date/date.h >"$work/json_date.cpp"
  sources="$sources json_date"
fi

repeats=10 # what `times` tells is in hundredths of a second, too coarse for events.hpp
compile() {
  i=0
  while [ "$i" -lt "$repeats" ]; do
    "$compiler" -std=c++17 -O2 "$@" -I include -c "$work/$source.cpp" -o "$work/$source.o"
    case $source in events*) i=$((i + 1)) ;; *) i=$repeats ;; esac
  done
}

# The difference, in ms, between two outputs of `times`, whose second line is the CPU time of the shell's children.
user_ms() { awk -F '[ms]' 'FNR == 2 { t[++n] = 60000 * $1 + 1000 * $2 } END { print t[2] - t[1] }' "$@"; }

median() { sort -n "$work/$1.times" | sed -n "$((rounds / 2 + 1))p"; }

compare() { # name, source, source to compare with, limit
  echo "$(median "$2") $(median "$3")" | awk -v name="$1" -v limit="${4-}" \
    '{ printf "  %-58s %6d %6d %8.2f %6s\n", name, $1, $2, $1 / $2, limit }'
}

text_size() { size "$work/$1.o" | awk 'NR == 2 { print $1 }'; }

for compiler in g++ clang++; do
  if ! command -v "$compiler" >/dev/null; then
    echo "skipped: $compiler is not installed"
    continue
  fi
  rm -f "$work"/*.times
  round=0
  while [ "$round" -lt "$rounds" ]; do
    for source in $sources; do
      times >"$work/before"
      compile "$@"
      times >"$work/after"
      user_ms "$work/before" "$work/after" >>"$work/$source.times"
    done
    round=$((round + 1))
  done
  printf '\n%-60s %6s %6s %8s %6s\n' "$("$compiler" --version | head -n 1), -O2" ms 'of ms' ratio limit
  compare "events.hpp : its own standard includes ($repeats times each)" events events_std 1.3
  compare '<anthropic/webhooks.hpp> : <nlohmann/json.hpp>' webhooks json
  if [ -e "$work/json_date.o" ]; then
    compare '<anthropic/webhooks.hpp> : nlohmann/json.hpp + date/date.h' webhooks json_date 1.1
  fi
  compare 'a call of unwrap : a call of nlohmann::json::parse' unwrap_call parse_call 1.25
  echo "  object code (text): a call of unwrap $(text_size unwrap_call) bytes, of nlohmann::json::parse" \
    "$(text_size parse_call), of nothing $(text_size webhooks)"
done
