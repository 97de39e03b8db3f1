#!/usr/bin/env python3
"""Verifies a folder that `breakglass audit export` wrote, alone: python3 verify_export.py FOLDER

It needs Python 3.8 or newer and nothing else, and shares no code with breakglass. docs/audit-format.md
says what it checks. It prints what does not hold, one line each, and exits 0 when everything holds,
1 when something does not, and 2 when the folder is no export that it knows.
"""
import csv
import datetime
import hashlib
import json
import os
import re
import sys

ALWAYS = {  # event types that are an exception whatever else they say
    "reported": "reported afterwards", "self_approved": "self-approved", "self_approval_refused": "self-approval refused",
    "approved_overdue": "approved in spite of an overdue record", "incident_doubted": "incident was not live, or mitigated",
    "standing_kept": "standing access kept", "standing_ended": "standing access ended", "access_late": "access late to go",
    "access_back": "access came back", "waived": "waived", "owner_changed": "owner left", "sign_off_doubted": "sign-off doubted",
    "incident_refused": "incident took no notes", "undelivered": "message undeliverable", "forged": "forged click", "census_found": "found by the census",
    "census_standing": "standing access kept", "census_ended": "standing access ended", "census_late": "access late to go"}
NAMES = set(ALWAYS.values()) | {  # and those that are one only if the event says so: docs/audit-format.md has the table
    "access was there before", "access gone late", "deadline missed", "copy late", "done late", "nothing was changed", "sign-off undone", "record changed after its sign-off",
    "sign-off undone after the close", "independent review undone", "independent review undone after the close"}
FILES = ["README.md", "changes.csv", "changes.jsonl", "events.jsonl", "exceptions.csv", "export.json", "neighbours.jsonl", "seals.jsonl"]
findings = []


def find(file, say):
    findings.append(f"{file}: {say}")


def sha(text):
    return hashlib.sha256(text.encode("utf-8", "surrogatepass")).hexdigest()


def moment(text):
    """RFC 3339, with any number of decimals, as a time and the rest of its nanoseconds."""
    whole, decimals = re.fullmatch(r"(\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d)(\.\d+)?Z", text).groups()
    return datetime.datetime.fromisoformat(whole), float("0" + (decimals or ".0"))


def name(chain):
    return f"EC-{chain}" if chain else "the system chain"


def lines(folder, file):
    try:
        with open(os.path.join(folder, file), encoding="utf-8", newline="\n") as f:
            for number, line in enumerate(f, 1):
                try:
                    yield json.loads(line)
                except ValueError:
                    find(file, f"line {number} cannot be read")
                    return
    except OSError:
        pass  # told with the sums


def table(folder, file):
    try:
        with open(os.path.join(folder, file), encoding="utf-8", newline="") as f:
            return list(csv.DictReader(f))
    except OSError:
        return []


def check_sums(folder):
    with open(os.path.join(folder, "SHA256SUMS"), encoding="utf-8") as f:
        stated = dict(reversed(line.rstrip("\n").split("  ", 1)) for line in f)
    for file in FILES:
        try:
            with open(os.path.join(folder, file), "rb") as f:
                if hashlib.sha256(f.read()).hexdigest() != stated.get(file):
                    find(file, "it is not the file that was written: SHA256SUMS holds another sum")
        except OSError:
            find(file, "it is missing")


def check_seals(folder, about):
    """Checks the chain of seals, and answers the heads, chain to [(seq, hash, seal)]; the newest; its day; and each one's hash and time."""
    sealed, number, previous, day, last, each = {}, 0, "", "", None, {}
    for s in lines(folder, "seals.jsonl"):
        try:
            say, body = "", json.loads(s["body"])
            text = "".join(f"{chain} {seq} {hash}\n" for chain, seq, hash in s["heads"] or [])
            if s["seal"] != number + 1:
                say = f"follows seal {number}: what was between them is missing"
            elif s["previous"] != previous or s["hash"] != sha(previous + "\n" + s["body"]):
                say = "its hash does not follow from its body and the seal before it"
            elif body["seal"] != s["seal"] or body.get("after", "") != day or body["day"] <= day:
                say = f"its day {body['day']} does not follow that of the seal before it"
            elif s["heads"] is None and moment(body["at"]) >= moment(about["since"]):
                say = "its heads are missing, though it was made in the period or later"
            elif s["heads"] is not None and len(s["heads"]) != body["chains"]:
                say = f"it was made of {body['chains']} heads, and {len(s['heads'])} are there"
            elif s["heads"] is not None and sha(text) != body["heads"]:
                say = "its heads are not those that it was made of"
        except (KeyError, TypeError, ValueError, AttributeError):
            say = "its body cannot be read"
        if say:
            find("seals.jsonl", f"seal {s.get('seal')}: {say}")
            each[None] = ()  # what follows is not known
            break
        each[s["seal"]] = s["hash"], moment(body["at"])
        number, previous, day, last = s["seal"], s["hash"], body["day"], s
        for chain, seq, hash in s["heads"] or []:
            sealed.setdefault(chain, []).append((seq, hash, number))
    if number != about["seals"]:
        find("seals.jsonl", f"{number} seals hold, and export.json says {about['seals']}")
    return sealed, last, day, each


def event_problem(e, before, withheld):
    """Says what is wrong with an event behind the one before it, (seq, hash, time); and its body."""
    body = json.loads(e["body"])
    if e["seq"] != before[0] + 1:
        return f"follows event {before[0]}: what was between them is missing", body
    if e["previous"] != before[1]:
        return "the hash before it is not that of the event before it", body
    if e["hash"] != sha(e["previous"] + "\n" + e["body"]):
        return "its hash does not follow from its body and the event before it", body
    if body["change"] != e["chain"] or body["seq"] != e["seq"]:
        return "its body is that of another event", body
    if before[2] and moment(body["at"]) < before[2]:
        return "lies before the event before it", body
    hashes, texts = body.get("texts", {}), e.get("texts", {})
    out = e.get("withheld", []) + e.get("erased", [])
    for field, t in texts.items():
        if hashes.get(field) != sha(t["salt"] + t["text"]):
            return f'its text "{field}" is not the one that was written', body
    if e.get("withheld") and not withheld:
        return "texts of it were withheld, though it is not confidential", body
    if sorted(list(texts) + out) != sorted(hashes):
        return "its texts are not those that it had", body
    return "", body


def seal_problem(heads, hashes):
    """Compares a chain, seq to hash, with its sealed heads."""
    held = min(hashes, default=1) - 1
    for seq, hash, seal in sorted(heads):
        if seq < min(hashes, default=1):
            continue
        if seq not in hashes:
            return f"event {seq} was sealed by seal {seal}, and is gone: the end is missing"
        if hashes[seq] != hash:
            return f"event {seq}: seal {seal} holds another hash for it: something after event {held} was rewritten"
        held = seq
    return ""


def read_chains(folder, file, withheld, single):
    """Checks the chains of a file, and answers each: its hashes by seq, the bodies, whether it holds."""
    chains, order = {}, -1
    for e in lines(folder, file):
        try:
            c = chains.get(e["chain"])
            if c is None:
                start = (e["seq"] - 1, e["previous"], None) if e["chain"] == 0 else (0, "", None)
                c = chains[e["chain"]] = {"hashes": {}, "bodies": {}, "lines": {}, "good": True, "before": start}
                if e["chain"] < order:
                    find(file, f"{name(e['chain'])}: it is out of order")
                order = e["chain"]
            if single and e["chain"] == 0:  # the neighbours in the system chain stand alone
                c["before"] = (e["seq"] - 1, e["previous"], None)
            if not c["good"]:
                continue
            say, body = event_problem(e, c["before"], withheld(e["chain"]))
            if not say:
                c["before"] = (e["seq"], e["hash"], moment(body["at"]))
                c["hashes"][e["seq"]], c["bodies"][e["seq"]], c["lines"][e["seq"]] = e["hash"], body, e
        except (KeyError, TypeError, ValueError, AttributeError):
            say = "it cannot be read"
        if say:
            c["good"] = False
            find(file, f"{name(e['chain'])}, event {e['seq']}: {say}")
    return chains


def check_told(about, chains, beside, seals):
    """Compares the seals with what the system chain says was posted, and `at` with the newest of what there is."""
    newest = [(at, f"seal {n}, which is in seals.jsonl") for n, (_, at) in ((n, s) for n, s in seals.items() if n)]
    for file, part in (("events.jsonl", chains), ("neighbours.jsonl", beside)):
        for chain, c in part.items():
            for seq, body in c["bodies"].items():
                newest.append((moment(body["at"]), f"event {seq} of {name(chain)}, which is in {file}"))
                if chain or body["type"] != "seal_posted":
                    continue
                number, hash = body["facts"].get("seal"), body["facts"].get("hash")
                if number not in seals and None not in seals:
                    find("seals.jsonl", f"seal {number}: it is gone, though event {seq} of the system chain says that it was posted")
                elif number in seals and seals[number][0] != hash:
                    find("seals.jsonl", f"seal {number}: its hash is not the one that was posted, which event {seq} of the system chain holds")
    if newest and max(newest)[0] > moment(about["at"]):
        find("export.json", f"it says that it was written at {about['at']}, before {max(newest)[1]}")


def check_texts(c, chain):
    """Compares the columns of what people typed with the events; those of which a text was erased are not."""
    columns, said, gone = c["columns"], {"what": "", "why": "", "reply": "", "links": []}, set()
    if c["withheld"]:
        return "texts of it stand in its columns, though they were withheld" if any(columns.get(column) for column in said) else ""
    for seq, body in sorted(chain["bodies"].items()):
        e = chain["lines"][seq]
        for field, column in {"requested": [("what", "what"), ("why", "why")], "reported": [("what", "what"), ("why", "why")],
                              "denied": [("reason", "reply")], "linked": [("url", "links")]}.get(body["type"], []):
            text = e.get("texts", {}).get(field, {}).get("text", "")
            said[column] = said[column] + [text] if column == "links" else text
            if field in e.get("erased", []):
                gone.add(column)
        if body["type"] == "failed":
            said["reply"] = body["facts"].get("say", "")
    for column, text in said.items():
        if column not in gone and (columns.get(column) or type(text)()) != text:
            return f"its column {column} is not what its events say"
    return ""


def check_change(c, chain, heads, within, cleared):
    """Says what is wrong with a change whose events hold."""
    last = max(chain["hashes"], default=0)
    say = seal_problem(heads, chain["hashes"])
    if say or not last:
        return "events.jsonl", say or "it has no events"
    if (last, chain["hashes"][last]) != (c["seq"], c["hash"]):
        return "events.jsonl", f"the last event is {last}, and was {c['seq']}: the end is missing, or its head is another"
    if not within(chain["bodies"][1]):
        return "events.jsonl", "does not lie in the period"
    if chain["bodies"][last].get("row") != sha(c["row"]):
        return "changes.jsonl", f"it is not what event {last} left: somebody has altered the row"
    row, columns = json.loads(c["row"]), c["columns"]
    if c["withheld"] and (cleared or not row.get("confidential")):
        return "changes.jsonl", "its texts were withheld without need"
    for column in ("phase", "kind", "kind_name", "reason", "requester", "implementer"):
        if columns[column] != row.get(column):
            return "changes.jsonl", f"its column {column} is {columns[column]}, and follows from its events as {row.get(column)}"
    for o in row.get("obligations", []):
        if o["name"] in ("record", "sign_off", "review"):
            status, by = columns[o["name"] + "_status"], columns[o["name"] + "_by"]
            if (o["state"] == "done") != (status in ("on time", "late") or status == "copy late" and "done" in o) or by != o.get("proof", {}).get("by", ""):
                return "changes.jsonl", f"its column {o['name']}_status is {status}, and its obligation is {o['state']}"
    say = check_texts(c, chain)
    return "changes.jsonl" if say else "", say


def check_tables(folder, about, changes, chains):
    rows, seen = table(folder, "changes.csv"), []
    for c, r in zip(changes, rows):
        for column, value in c["columns"].items():
            want = "; ".join(value) if isinstance(value, list) else "" if value is None else str(value).lower() if isinstance(value, bool) else str(value)
            got = r.get(column)
            if got is None or got.replace("\r", "") not in (want.replace("\r", ""), "'" + want.replace("\r", "")):
                find("changes.csv", f"{name(c['chain'])}: its column {column} is not what changes.jsonl says")
                break
    if len(rows) != len(changes):
        find("changes.csv", f"it has {len(rows)} rows, and changes.jsonl {len(changes)}")
    for r in table(folder, "exceptions.csv"):
        chain = chains.get(0 if r["number"] == "system" else int(r["number"][3:]), {"good": True, "bodies": {}})
        body = chain["bodies"].get(int(r["seq"]), {})
        seen.append((r["number"], r["seq"], r["exception"]))
        if chain["good"] and (body.get("type"), body.get("actor")) != (r["type"], r["by"]) or r["exception"] not in NAMES:
            find("exceptions.csv", f"{r['number']}, event {r['seq']}: “{r['exception']}” is not what the event says")
    for chain, c in chains.items():
        for seq, body in c["bodies"].items():
            key = (name(chain) if chain else "system", str(seq), ALWAYS.get(body["type"]))
            if key[2] and key not in seen:
                find("exceptions.csv", f"{key[0]}, event {seq}: “{key[2]}” is missing")
    for exception in sorted(NAMES ^ set(about["names"])):
        find("export.json", f"its names lack “{exception}”" if exception in NAMES else f"its names hold “{exception}”, which is no exception of this format")
    if len(seen) != about["exceptions"]:
        find("export.json", f"it says {about['exceptions']} exceptions, and there are {len(seen)}")


def check_system(about, chains, beside, sealed):
    """Checks that the part of the system chain goes from one neighbour to the other."""
    part, edges = chains.get(0, {"hashes": {}, "good": True}), beside.get(0, {"hashes": {}, "bodies": {}, "lines": {}})
    if not part["good"]:
        return
    before = max((s for s, b in edges["bodies"].items() if moment(b["at"]) < moment(about["since"])), default=0)
    after = min((s for s, b in edges["bodies"].items() if moment(b["at"]) >= moment(about["until"])), default=about["system"] + 1)
    hashes = part["hashes"]
    first, last = min(hashes, default=before + 1), max(hashes, default=before)
    if first != before + 1 or hashes and part["lines"][first]["previous"] != edges["hashes"].get(before, ""):
        find("events.jsonl", f"the system chain, event {first}: does not follow the event before the period, which is {before}")
    elif last != after - 1:
        find("events.jsonl", f"the system chain: the last event is {last}, and was {after - 1}: the end is missing")
    elif hashes and after in edges["lines"] and edges["lines"][after]["previous"] != hashes[last]:
        find("neighbours.jsonl", f"the system chain, event {after}: does not follow the last event of the period")
    say = seal_problem([h for h in sealed.get(0, []) if h[0] < after], hashes) if hashes else ""
    if say:
        find("events.jsonl", f"the system chain: {say}")


def check_population(about, inside, outside, sealed):
    """Checks that no number of a change is missing."""
    numbers = sorted(set(inside) | set(outside))
    expected = numbers[0] if numbers and numbers[0] in outside else 1
    for n in numbers + ([] if numbers and numbers[-1] in outside else [about["given"] + 1]):
        if n > expected:
            find("changes.jsonl", f"EC-{expected}: this change is missing" if n == expected + 1 else f"EC-{expected}: this change and all up to EC-{n - 1} are missing")
        expected = n + 1
    if not numbers or numbers[-1] not in outside:
        for n in sorted(sealed):
            if n > max([about["given"]] + numbers):
                find("changes.jsonl", f"EC-{n} is missing: seal {sealed[n][0][2]} holds it, though the last number given is said to be {about['given']}")


def main(folder):
    try:
        with open(os.path.join(folder, "export.json"), encoding="utf-8") as f:
            about = json.load(f)
        if about["format"] != 1:
            raise ValueError
        check_sums(folder)
    except (OSError, ValueError, KeyError) as problem:
        print("this folder is no export that this program knows:", problem)
        return 2

    def within(body):
        return moment(about["since"]) <= moment(body["at"]) < moment(about["until"])

    sealed, newest, day, seals = check_seals(folder, about)
    changes = list(lines(folder, "changes.jsonl"))
    withheld = {c["chain"] for c in changes if c["withheld"]}
    chains = read_chains(folder, "events.jsonl", lambda n: n in withheld, False)
    beside = read_chains(folder, "neighbours.jsonl", lambda n: True, True)
    for n, c in beside.items():
        inside = any(within(b) for b in c["bodies"].values()) if n == 0 else within(c["bodies"].get(1, {"at": about["until"]}))
        say = "it belongs to the period, and is said to be a neighbour" if inside else seal_problem(sealed.get(n, []), c["hashes"]) if n and c["good"] else ""
        if say:
            find("neighbours.jsonl", f"{name(n)}: {say}")
    for c in changes:
        chain = chains.get(c["chain"], {"good": True, "hashes": {}, "bodies": {}, "lines": {}})
        if chain["good"]:
            try:
                file, say = check_change(c, chain, sealed.get(c["chain"], []), within, about["cleared"])
            except (KeyError, TypeError, ValueError, AttributeError):
                file, say = "changes.jsonl", "it cannot be read"
            if say:
                find(file, f"{name(c['chain'])}: {say}")
    for n in sorted(set(chains) - {0} - {c["chain"] for c in changes}):
        find("events.jsonl", f"{name(n)}: there are events, though there is no such change in changes.jsonl")
    check_system(about, chains, beside, sealed)
    check_population(about, [c["chain"] for c in changes], [n for n in beside if n], sealed)
    check_tables(folder, about, changes, chains)
    check_told(about, chains, beside, seals)
    for line in findings:
        print(line)
    events = sum(len(c["hashes"]) for c in chains.values())
    print(f"{len(changes)} changes, {events} events, {about['seals']} seals: {len(findings) or 'nothing'} wrong.")
    if newest:
        print(f"The newest seal is number {newest['seal']} of {day}: {newest['hash']}. The audit channel has to say the same.")
    return 1 if findings else 0


if __name__ == "__main__":
    if len(sys.argv) != 2:
        print(__doc__)
        sys.exit(2)
    sys.exit(main(sys.argv[1]))
