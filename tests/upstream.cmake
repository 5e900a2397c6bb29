# Tests tests/upstream with a small made-up SDK, and what the workflow does with the result. Nothing here needs a
# network. WORK is a folder for what it writes.
cmake_minimum_required(VERSION 3.22)
set(upstream ${CMAKE_CURRENT_LIST_DIR}/upstream)
file(REMOVE_RECURSE ${WORK})
file(MAKE_DIRECTORY ${WORK})

set(sdk [[
/** An interface Comment { that: is, not: read; } */
export interface BetaWebhookEvent {
    /**
     * Unique; not { like } this.
     */
    id: string;
    created_at: string;
    data: BetaWebhookEventData;
    type: 'event';
}
export type BetaWebhookEventData = BetaWebhookAgentCreatedEventData | BetaWebhookVaultCredentialRefreshFailedEventData;
export interface BetaWebhookVaultCredentialRefreshFailedEventData {
    /**
     * ID of the vault credential.
     */
    id: string;
    organization_id: string;
    type: 'vault_credential.refresh_failed';
    /**
     * ID of the vault.
     */
    vault_id: string;
}
export interface BetaWebhookAgentCreatedEventData {
    id: string;
    organization_id: string;
    type: 'agent.created';
}
//# sourceMappingURL=webhooks.d.ts.map
]])
set(rows "# tag, keys, comment\nagent.created\torganization_id\tA.\nvault_credential.refresh_failed\torganization_id vault_id\tB.\n")
set(agent "agent.created';\n")

# Expects the status and the differences when `from` in the SDK is replaced by `to`.
function(expect name status differences from to)
  string(REPLACE "${from}" "${to}" text "${sdk}")
  if(text STREQUAL sdk AND NOT from STREQUAL to)
    message(FATAL_ERROR "${name}: the made-up SDK has no ${from}")
  endif()
  file(WRITE ${WORK}/sdk.d.ts "${text}")
  file(WRITE ${WORK}/rows.tsv "${rows}")
  execute_process(COMMAND ${upstream} ${WORK}/sdk.d.ts ${WORK}/rows.tsv
    RESULT_VARIABLE result OUTPUT_VARIABLE out ERROR_VARIABLE err)
  string(REGEX REPLACE "[^\n]*event types, [0-9]+ differences\n" "" out "${out}")
  string(REPLACE "tests/upstream: ${WORK}/sdk.d.ts: " "" err "${err}")
  if(NOT "${result} ${out}${err}" STREQUAL "${status} ${differences}")
    message(SEND_ERROR "${name}: expected\n${status} ${differences}\nfound\n${result} ${out}${err}")
  endif()
endfunction()

expect("the same" 0 "" "" "")
expect("on few lines" 0 "" "\n    " " ")
expect("as a source has it" 0 "" "EventData = Beta" "EventData =\n  | Beta")
expect("double quotes" 0 "" "'" "\"")
expect("readonly" 0 "" "    id:" "    readonly id:")
expect("a type more" 1 "new: agent.renamed, which is BetaWebhookAgentRenamedEventData with id type new_name\n"
  "export type BetaWebhookEventData = " "export interface BetaWebhookAgentRenamedEventData {
    id: string; type: 'agent.renamed'; new_name?: string; }
  export type BetaWebhookEventData = BetaWebhookAgentRenamedEventData | ")
expect("a member more" 1 "agent.created: the SDK also has name, which is string\n" "${agent}" "${agent}name: string;\n")
expect("an optional member more" 1 "agent.created: the SDK also has the optional name, which is string | null\n"
  "${agent}" "${agent}name?: string | null;\n")
expect("a member that nests" 1 "agent.created: the SDK also has model, which is Array<string>\n"
  "${agent}" "${agent}model: Array<string>;\n")
expect("a member less" 1 "vault_credential.refresh_failed: the SDK has no member vault_id\n" "    vault_id: string;\n" "")
expect("an optional member" 1 "vault_credential.refresh_failed: the SDK has vault_id as optional\n" "vault_id:" "vault_id?:")
expect("a member of another type" 1 "vault_credential.refresh_failed: the SDK has vault_id as string | null\n"
  "vault_id: string" "vault_id: string | null")
expect("a type less" 1 "gone: agent.created\n" "BetaWebhookAgentCreatedEventData |" "")
expect("a type with another tag" 1
  "new: agent.made, which is BetaWebhookAgentCreatedEventData with id organization_id type\ngone: agent.created\n"
  "agent.created" "agent.made")
expect("another name" 1 "agent.created: the SDK names it BetaWebhookAgentMadeEventData\n" "AgentCreated" "AgentMade")
expect("an envelope with more" 1 "the envelope: the SDK also has attempt, which is number\n"
  "type: 'event';" "type: 'event';\nattempt: number;")
expect("an envelope with another time" 1 "the envelope: the SDK has created_at as number\n"
  "created_at: string" "created_at: number")
expect("no envelope" 2 "there is no interface BetaWebhookEvent\n" "interface BetaWebhookEvent {" "interface Event {")
expect("no union" 2 "there is no union BetaWebhookEventData\n" "type BetaWebhookEventData" "type EventData")
expect("no interface" 2 "there is no interface BetaWebhookAgentCreatedEventData\n"
  "interface BetaWebhookAgentCreatedEventData" "interface Agent")
expect("no tag" 2 "BetaWebhookAgentCreatedEventData has no tag\n" "type: 'agent.created'" "kind: 'agent.created'")
expect("a tag that is a name" 2 "BetaWebhookAgentCreatedEventData has no tag\n" "'agent.created'" "Tag")
expect("another syntax" 2 "BetaWebhookAgentCreatedEventData has a member that it cannot read: [key: string]: string\n"
  "${agent}" "${agent}[key: string]: string;\n")
expect("an inherited interface" 2 "there is no interface BetaWebhookAgentCreatedEventData\n"
  "interface BetaWebhookAgentCreatedEventData {" "interface BetaWebhookAgentCreatedEventData extends Base {")
expect("cut off" 2 "a brace is not closed\n" "type: 'agent.created';\n}" "")
expect("empty" 2 "there is no interface BetaWebhookEvent\n" "${sdk}" "")

# Runs a command with `npm` instead of the real one, and expects its status.
file(MAKE_DIRECTORY ${WORK}/bin)
function(expect_with_npm name status npm)
  file(WRITE ${WORK}/bin/npm "#!/bin/sh\n${npm}\n")
  file(CHMOD ${WORK}/bin/npm PERMISSIONS OWNER_READ OWNER_WRITE OWNER_EXECUTE)
  execute_process(COMMAND ${CMAKE_COMMAND} -E env PATH=${WORK}/bin:$ENV{PATH} ${ARGN}
    RESULT_VARIABLE result OUTPUT_VARIABLE out ERROR_VARIABLE out)
  if(NOT result EQUAL status)
    message(SEND_ERROR "${name}: expected ${status}, found ${result} ${out}")
  endif()
endfunction()

# `npm pack` of the made-up SDK, which has two types.
file(WRITE ${WORK}/package/resources/beta/webhooks.d.ts "${sdk}")
string(CONCAT pack "while [ \$1 != --pack-destination ]; do shift; done\n"
  "tar -czf \$2/anthropic-ai-sdk-9.9.9.tgz -C ${WORK} package")
expect_with_npm("npm packs another SDK" 1 "${pack}" ${upstream})
expect_with_npm("npm fails" 2 "exit 1" ${upstream})
expect_with_npm("npm packs nothing" 2 "" ${upstream})
file(REMOVE_RECURSE ${WORK}/package/resources)
expect_with_npm("npm packs what has no events" 2 "${pack}" ${upstream})
execute_process(COMMAND ${upstream} ${WORK}/nowhere.d.ts RESULT_VARIABLE result ERROR_QUIET)
if(NOT result EQUAL 2)
  message(SEND_ERROR "no file: expected 2, found ${result}")
endif()

# The workflow's step, with made-up programs.
file(READ ${CMAKE_CURRENT_LIST_DIR}/../.github/workflows/upstream.yml workflow)
string(REGEX MATCH "run: [|]\n(.*)" step "${workflow}")
file(WRITE ${WORK}/step "${CMAKE_MATCH_1}")
file(MAKE_DIRECTORY ${WORK}/tests)
file(WRITE ${WORK}/bin/gh [[#!/bin/sh
echo "gh $1 $2" >>calls
[ "$2" != list ] || cat open_issues
]])
file(WRITE ${WORK}/tests/upstream "#!/bin/sh\necho 'new: agent.renamed'\nexit $STATUS\n")
file(CHMOD ${WORK}/bin/gh ${WORK}/tests/upstream PERMISSIONS OWNER_READ OWNER_WRITE OWNER_EXECUTE)
foreach(row IN ITEMS "0||0|" "2||2|" "1||0|gh issue list,gh issue create," "1|7|0|gh issue list,gh issue edit,")
  string(REPLACE "|" ";" row "${row}")
  list(GET row 0 compared)
  list(GET row 1 open)
  list(GET row 2 expected_status)
  list(GET row 3 expected_calls)
  file(WRITE ${WORK}/open_issues "${open}")
  file(WRITE ${WORK}/calls "")
  execute_process(COMMAND ${CMAKE_COMMAND} -E env PATH=${WORK}/bin:$ENV{PATH} STATUS=${compared} TITLE=title sh -e step
    WORKING_DIRECTORY ${WORK} RESULT_VARIABLE result OUTPUT_QUIET)
  file(READ ${WORK}/calls calls)
  string(REPLACE "\n" "," calls "${calls}")
  if(NOT "${result} ${calls}" STREQUAL "${expected_status} ${expected_calls}")
    message(SEND_ERROR "the workflow, after ${compared}: expected ${expected_status} ${expected_calls}, found ${result} ${calls}")
  endif()
endforeach()
