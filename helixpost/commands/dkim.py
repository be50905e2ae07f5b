"""DKIM: the keys that sign our letters, and the DNS records that publish them."""

import json
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from helixpost.commands.options import DEFAULT_CONFIG, AsJson, Config, read_settings
from helixpost.commands.printing import out, print_json
from mailer.signing_domains import DkimSettings, Kind, domain_of, selector_of

if TYPE_CHECKING:
    from mailer.signing_keys import SigningKey

FOLDER = Path("var/dkim")

app = typer.Typer(no_args_is_help=True, help="Signing letters in your domain's name.")


@app.command()
def generate(
    domain: Annotated[str, typer.Option("--domain", help="The sender's domain, or one above it.")],
    selector: Annotated[str, typer.Option("--selector", help="A name for this key, such as helix1.")],
    kind: Annotated[Kind, typer.Option(help="Every receiver checks rsa.")] = Kind.RSA,
    out_file: Annotated[
        Path | None, typer.Option("--out", help="Where to; none = var/dkim/SELECTOR.DOMAIN.pem.")
    ] = None,
    as_json: AsJson = False,
) -> None:
    """Write a new private key and print the DNS record and the settings that go with it."""
    from mailer import signing_keys

    domain, selector = domain_of(domain, field="--domain"), selector_of(selector, field="--selector")
    path = out_file or FOLDER / f"{selector}.{domain}.pem"
    section = DkimSettings(domain=domain, selector=selector, key=path)
    key = signing_keys.generate(kind)
    signing_keys.write(key, path)
    if as_json:
        print_json({**_as_dict(section, key), "settings": _as_toml(section)})
        return
    out.print(f"{path} is written. Keep it to yourself and back it up.")
    out.print(f"\n1. Publish this TXT record in the DNS of {domain}:\n")
    _print_record(section, key)
    out.print("\n2. Once it can be looked up, add this to the settings and restart the service:\n")
    print(_as_toml(section), end="")


@app.command()
def show(config: Config = DEFAULT_CONFIG, as_json: AsJson = False) -> None:
    """Print the DNS record of every key in the settings."""
    from mailer import signing_keys

    keys = [(section, signing_keys.read(section)) for section in read_settings(config).dkim]
    if as_json:
        print_json([_as_dict(section, key) for section, key in keys])
        return
    for section, key in keys:
        _print_record(section, key)
    if not keys:
        out.print("No key signs letters yet: helixpost dkim generate --domain DOMAIN --selector helix1")


def _print_record(section: DkimSettings, key: "SigningKey") -> None:
    """Print a record both ways in which DNS providers ask for it."""
    record = _as_dict(section, key)
    for word in ("name", "value", "zone"):
        print(f"{word:7}{record[word]}")


def _as_dict(section: DkimSettings, key: "SigningKey") -> dict[str, str]:
    from mailer import signing_keys

    value = signing_keys.record_of(key)
    return {
        "domain": section.domain,
        "selector": section.selector,
        "kind": key.kind,
        "key": str(section.key),
        "name": section.record_name,
        "value": value,
        "zone": signing_keys.zone_entry(section.record_name, value),
    }


def _as_toml(section: DkimSettings) -> str:
    fields = {"domain": section.domain, "selector": section.selector, "key": str(section.key)}
    lines = (f"{name} = {json.dumps(text, ensure_ascii=False)}\n" for name, text in fields.items())
    return "[[dkim]]\n" + "".join(lines)
