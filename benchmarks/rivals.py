"""Rivals: Nodemailer, brought from npm for the run and driven by a few lines of its own language."""

import json
import os
import shutil
from dataclasses import dataclass
from email import message_from_bytes, policy
from pathlib import Path

from benchmarks import processes
from benchmarks.processes import Failed, Missing, Process
from benchmarks.relays import HOST, Relay

VERSION = "10.6.0"
CONNECTIONS = 10
_SCRIPT = """\
import { readFileSync } from "node:fs";
import { createTransport } from "nodemailer";

const task = JSON.parse(readFileSync(process.argv[2], "utf8"));
const letter = (number) => ({
  from: "INTRA <news@example.org>",
  to: `reader${number}@example.org`,
  subject: task.subject,
  html: task.html,
  text: task.text,
});
const sample = await createTransport({ streamTransport: true, buffer: true }).sendMail(letter(0));
const transport = createTransport({
  host: task.host, port: task.port, secure: false, ignoreTLS: true,
  pool: true, maxConnections: task.connections, maxMessages: Infinity, dkim: task.dkim,
});
let next = 0;
const send = async () => {
  while (next < task.messages) await transport.sendMail(letter(next++));
};
const began = performance.now();
const before = process.cpuUsage();
// Twice as many letters under way as connections, so that none ever waits for a letter.
await Promise.all(Array.from({ length: 2 * task.connections }, send));
const used = process.cpuUsage(before);
transport.close();
console.log(JSON.stringify({
  seconds: (performance.now() - began) / 1000,
  cpu: (used.user + used.system) / 1e6,
  bytes: sample.message.length,
}));
"""


@dataclass(frozen=True, slots=True)
class Sending:
    """What one run of Nodemailer took: seconds from the first to the last letter, seconds of CPU."""

    seconds: float
    cpu: float
    size: int
    """Bytes of one of its messages."""


class Nodemailer:
    """An installed Nodemailer with the letter that it sends."""

    def __init__(self, folder: Path, letter: bytes) -> None:
        """Install it into that folder; raises `Missing` when that cannot be done."""
        for tool in ("node", "npm"):
            if shutil.which(tool) is None:
                raise Missing(f"{tool} is missing: install Node.js 20 or newer, which brings node and npm")
        self._folder = folder
        folder.mkdir(parents=True)
        (folder / "send.mjs").write_text(_SCRIPT, encoding="utf-8")
        (folder / "package.json").write_text('{"private": true}', encoding="utf-8")
        install = ["npm", "install", "--no-audit", "--no-fund", "--ignore-scripts", f"nodemailer@{VERSION}"]
        try:
            processes.run(install, folder / "npm.log", cwd=folder)
        except Failed as error:
            raise Missing(f"Nodemailer {VERSION} could not be installed: {error}") from None
        self._letter = _parts_of(letter)

    def send(
        self, relay: Relay, messages: int, *, dkim_key: Path | None = None, instances: int = 1
    ) -> Sending:
        """Send so many letters through one pool in each of so many processes; raises `Failed`."""
        shares = [messages // instances + (number < messages % instances) for number in range(instances)]
        started = [self._start(relay, share, number, dkim_key) for number, share in enumerate(shares)]
        try:
            results = [_result_of(process) for process in started]
        finally:
            for process in started:
                process.stop()
        return Sending(
            max(result.seconds for result in results),
            sum(result.cpu for result in results),
            results[0].size,
        )

    def _start(self, relay: Relay, messages: int, number: int, dkim_key: Path | None) -> Process:
        task = {
            "host": HOST,
            "port": relay.port,
            "connections": CONNECTIONS,
            "messages": messages,
            "dkim": dkim_key
            and {
                "domainName": "example.org",
                "keySelector": "news",
                "privateKey": dkim_key.read_text(encoding="ascii"),
            },
            **self._letter,
        }
        path = self._folder / f"task-{number}.json"
        path.write_text(json.dumps(task), encoding="utf-8")
        environment = {name: value for name, value in os.environ.items() if name != "NODE_OPTIONS"}
        log = self._folder / f"send-{number}.log"
        return Process(["node", "send.mjs", path], log, cwd=self._folder, env=environment)


def _result_of(process: Process) -> Sending:
    if process.wait().code != 0:
        raise Failed(f"Nodemailer failed: {process.last_words()}")
    result = json.loads(process.last_words())
    return Sending(result["seconds"], result["cpu"], result["bytes"])


def _parts_of(letter: bytes) -> dict[str, str]:
    message = message_from_bytes(letter, policy=policy.default)
    parts = {part.get_content_subtype(): part.get_content() for part in message.iter_parts()}
    return {"subject": str(message["Subject"]), "html": parts["html"], "text": parts["plain"]}
