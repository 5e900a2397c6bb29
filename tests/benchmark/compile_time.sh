#!/bin/sh
# Measures what the headers cost to compile. Usage: tests/benchmark/compile_time.sh [compiler flags, such as -I...]
# The times are user CPU, the least of ROUNDS rounds. Each round compiles every source.
set -eu
cd "$(dirname "$0")/../.."
rounds=${ROUNDS:-9}
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
cat >"$work/visit.cpp" <<'END'
#include <anthropic/webhooks/events.hpp>
using namespace anthropic::webhooks;
std::size_t call(const BetaWebhookEventData& data) {
  return std::visit(overloaded{[](const BetaWebhookSessionIdledEventData& idled) { return idled.id.size(); },
                               [](const BetaWebhookVaultCreatedEventData& created) { return created.id.size() + 1; },
                               [](const auto&) { return std::size_t{0}; }},
                    data);
}
END
cat >"$work/compare.cpp" <<'END'
#include <anthropic/webhooks/events.hpp>
bool call(const anthropic::webhooks::BetaWebhookEvent& a, const anthropic::webhooks::BetaWebhookEvent& b) { return a == b; }
END
cat >"$work/copy.cpp" <<'END'
#include <anthropic/webhooks/events.hpp>
anthropic::webhooks::BetaWebhookEvent call(const anthropic::webhooks::BetaWebhookEvent& event) { return event; }
END
sources='events_std events json webhooks parse_call unwrap_call visit compare copy'

# The same header with only the first 22 event types, to see what the number of types costs.
mkdir -p "$work/few/anthropic/webhooks"
awk -F '\t' '
  FNR == NR {
    if (/^#/ || ++types > 22) next
    name = "BetaWebhook"
    words = split($1, word, /[._]/)
    for (i = 1; i <= words; i++) name = name toupper(substr(word[i], 1, 1)) substr(word[i], 2)
    kept[name "EventData"]
    next
  }
  /^struct BetaWebhook[A-Za-z]*EventData / { split($0, word, " "); dropping = !(word[2] in kept) && word[2] !~ /Unknown/ }
  !dropping {
    rest = $0
    while (!/^struct/ && match(rest, /BetaWebhook[A-Za-z]*EventData,[ ]?/)) {
      name = substr(rest, RSTART, RLENGTH)
      sub(/,[ ]?$/, "", name)
      printf "%s%s", substr(rest, 1, RSTART - 1), (name in kept) ? name ", " : ""
      rest = substr(rest, RSTART + RLENGTH)
    }
    print rest
  }
  /^};/ { dropping = 0 }' tests/fixtures/event_types.tsv include/anthropic/webhooks/events.hpp >"$work/few/anthropic/webhooks/events.hpp"
for source in visit compare copy; do
  cp "$work/$source.cpp" "$work/${source}_few.cpp"
  sources="$sources ${source}_few"
done

repeats=10 # `times` counts in hundredths of a second, too coarse for events.hpp
compile() {
  i=0
  while [ "$i" -lt "$repeats" ]; do
    case $source in *_few) first="-I $work/few" ;; *) first= ;; esac
    # shellcheck disable=SC2086
    "$compiler" -std=c++17 -O2 $first "$@" -I include -c "$work/$source.cpp" -o "$work/$source.o"
    case $source in events*) i=$((i + 1)) ;; *) i=$repeats ;; esac
  done
}

# The difference, in ms, between two outputs of `times`, whose second line is the CPU time of the shell's children.
user_ms() { awk -F '[ms]' 'FNR == 2 { t[++n] = 60000 * $1 + 1000 * $2 } END { print t[2] - t[1] }' "$@"; }

least() { sort -n "$work/$1.times" | head -n 1; }

compare() { # name, source, source to compare with, goal
  echo "$(least "$2") $(least "$3")" | awk -v name="$1" -v goal="${4-}" \
    '{ printf "  %-58s %6d %6d %8.2f %6s\n", name, $1, $2, $1 / $2, goal }'
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
  printf '\n%-60s %6s %6s %8s %6s\n' "$("$compiler" --version | head -n 1), -O2" ms 'of ms' ratio goal
  compare "events.hpp : its own standard includes ($repeats times each)" events events_std 1.45
  compare '<anthropic/webhooks.hpp> : <nlohmann/json.hpp>' webhooks json 0.45
  compare 'a call of unwrap : a call of nlohmann::json::parse' unwrap_call parse_call 0.85
  compare 'a visit with 51 event types : with 22' visit visit_few 1.7
  compare 'a comparison with 51 event types : with 22' compare compare_few
  compare 'a copy with 51 event types : with 22' copy copy_few
  echo "  object code (text): a call of unwrap $(text_size unwrap_call) bytes, of nlohmann::json::parse" \
    "$(text_size parse_call), of nothing $(text_size webhooks)"
done
