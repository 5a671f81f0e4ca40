"""Python's fastmcp against a real server: over stdio and HTTP, in both eras of the protocol.

`cargo xtask test-live` runs it; it needs requirements.txt. Ends with code 1 when a check fails, and with the line
"N passed, M failed". The protocol, its schemas and their validation here are fastmcp's and jsonschema's, not ours.
"""

import argparse
import asyncio
import json
import subprocess
import sys
from pathlib import Path

import jsonschema
from fastmcp import Client
from fastmcp.client.transports import StdioTransport, StreamableHttpTransport

# How fastmcp is told which era to speak, and the version that must come of it. "auto" asks `server/discover`
# and would fall back to the handshake, which the check of the version would show.
ERAS = [("legacy", "2025-11-25"), ("auto", "2026-07-28")]
# Both renderings of an answer, each complete in itself, have this size at most.
MAX_ANSWER = 8_000


class Checks:
    """Counts what passed and what failed, and shows it."""

    def __init__(self) -> None:
        self.passed = self.failed = 0

    def that(self, what: str, holds: bool, found: object = "") -> None:
        if holds:
            self.passed += 1
            print(f"ok     {what}")
        else:
            self.failed += 1
            print(f"FAILED {what}: {found!r:.2000}")


def text_of(result) -> str:
    return "\n".join(block.text for block in result.content if block.type == "text")


async def check_call(check: Checks, where: str, client: Client, tool, arguments: dict) -> None:
    result = await client.call_tool_mcp(tool.name, arguments)
    text, structured = text_of(result), result.structured_content
    name = f"{where}: {tool.name}"
    check.that(f"{name} answers", not result.is_error, text)
    problems = [problem.message for problem in jsonschema.Draft202012Validator(tool.output_schema).iter_errors(structured)]
    check.that(f"{name} answers as its output schema says", not problems, problems)
    verdict = (structured or {}).get("verdict", "")
    check.that(f"{name} has a verdict, the same in both renderings", verdict != "" and text.startswith(verdict), text)
    check.that(f"{name} cites its evidence", bool((structured or {}).get("evidence")), structured)
    size = max(len(text), len(json.dumps(structured, ensure_ascii=False, separators=(",", ":"))))
    check.that(f"{name} is not longer than {MAX_ANSWER} characters", size <= MAX_ANSWER, size)


async def check_session(check: Checks, where: str, client: Client, expected: dict, version: str) -> None:
    """One session; its calls are those of `expected`, and one that is refused."""
    async with client:
        check.that(f"{where}: speaks {version}", client.protocol_version == version, client.protocol_version)
        check.that(f"{where}: is {expected['server']}", client.server_info.name == expected["server"], client.server_info)
        check.that(f"{where}: has instructions", bool(client.instructions), client.instructions)

        tools = await client.list_tools()
        names = [tool.name for tool in tools]
        check.that(f"{where}: lists its tools", names == [call["tool"] for call in expected["calls"]], names)
        prompts = await client.list_prompts()
        check.that(f"{where}: lists a prompt", len(prompts) >= 1, prompts)

        by_name = {tool.name: tool for tool in tools}
        for call in expected["calls"]:
            await check_call(check, where, client, by_name[call["tool"]], call["arguments"])

        refused = expected["refused"]
        result = await client.call_tool_mcp(refused["tool"], refused["arguments"])
        text = text_of(result)
        check.that(f"{where}: a misspelt argument is an error of the tool", result.is_error is True, text)
        check.that(f"{where}: which says how it is spelt", f"`{refused['suggests']}`" in text, text)


def check_audit(check: Checks, where: str, program: str, state: Path, expected: dict) -> None:
    """After the session: its log holds a record of each call, and nobody changed it."""
    log = state / "audit" / f"{expected['server']}.jsonl"
    command = [program, "audit", "verify", str(log)]
    verified = subprocess.run(command, env={"OBSERVABILITY_MCP_STATE": str(state)}, capture_output=True, text=True)
    calls = len(expected["calls"]) + 1
    said = verified.stdout + verified.stderr
    check.that(f"{where}: its {calls} calls are in an audit log that verifies",
               verified.returncode == 0 and said.startswith(f"valid: {calls} calls,"), said)


async def show_transcript(url: str, expected: dict) -> None:
    """One call as it looks to a client, for people."""
    call = expected["calls"][0]
    async with Client(StreamableHttpTransport(url)) as client:
        result = await client.call_tool_mcp(call["tool"], call["arguments"])
    print(f"\n--- transcript: {call['tool']}({json.dumps(call['arguments'])})\n{text_of(result)}")
    structured = json.dumps(result.structured_content, ensure_ascii=False, indent=1)
    print(f"--- the same as structured content\n{structured}\n---")


async def run(options: argparse.Namespace) -> Checks:
    check = Checks()
    expected = json.loads(options.expected.read_text())
    environment = dict(pair.split("=", 1) for pair in options.env)
    for mode, version in ERAS:
        where, state = f"stdio {version}", options.state / f"stdio-{version}"
        state.mkdir(parents=True)
        # Not kept alive, so that the server has ended, and its log is complete, after the session.
        transport = StdioTransport(
            options.program, [], env=environment | {"OBSERVABILITY_MCP_STATE": str(state)}, keep_alive=False)
        await check_session(check, where, Client(transport, mode=mode), expected, version)
        check_audit(check, where, options.program, state, expected)

        client = Client(StreamableHttpTransport(options.url), mode=mode)
        await check_session(check, f"HTTP {version}", client, expected, version)
    await show_transcript(options.url, expected)
    return check


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--program", required=True, help="the server's binary, for stdio")
    parser.add_argument("--url", required=True, help="http://HOST:PORT/mcp of the same server")
    parser.add_argument("--expected", required=True, type=Path, help="its tools, and calls that must succeed")
    parser.add_argument("--state", required=True, type=Path, help="where audit logs go; must not exist")
    parser.add_argument("--env", action="append", default=[], metavar="NAME=VALUE", help="configuration, for stdio")
    check = asyncio.run(run(parser.parse_args()))
    print(f"{check.passed} passed, {check.failed} failed")
    return 1 if check.failed else 0


if __name__ == "__main__":
    sys.exit(main())
