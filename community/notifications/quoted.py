"""What of a letter its sender wrote: not what they quote, nor their signature. Pure, line by line.

The expressions here are short and anchored, each seen by one line, so that no letter takes long to
read. A library for this took minutes over 8,000 characters of "On On On".
"""

from __future__ import annotations

import re
from typing import Final

LINES_MAX: Final = 2_000
LINE_MAX_CHARS: Final = 2_000
HEADER_LINE_MAX_CHARS: Final = 300

# "On 22 November, Ada wrote:", which programs break over up to three lines.
_BEGINS: Final = re.compile(
    r"(?:On|Am|Le|El|Il|Op|Em|Den|Dnia|W dniu|Il giorno|于|在|20\d\d)\b|20\d\d|于|在"
)
_ENDS: Final = re.compile(
    r"(?:wrote|schrieb(?: [^:]{1,80})?|a écrit|escribió|ha scritto|schreef(?: [^:]{1,80})?|escreveu"
    r"|skrev(?: [^:]{1,80})?|napisał(?:\(a\))?|写道|寫道|のメール|님이 작성)\s?[:：]$"
)
# The head of a letter below: two of these lines one after another.
_HEAD: Final = re.compile(
    r"[*_]{0,2}(?:From|Sent|Date|To|Cc|Subject|Reply to|Von|Gesendet|An|Betreff|De|Envoyé|Para"
    r"|Enviado|Asunto|Da|Inviato|A|Oggetto|Van|Verzonden|Aan|Onderwerp|Från|Skickat|发件人|发送时间"
    r"|收件人|主题|寄件者|差出人|送信日時|宛先|件名|보낸 사람)[*_]{0,2}\s?[:：]",
    re.I,
)
_CUT: Final = re.compile(
    r"-{2,}\s?(?:Original Message|Forwarded message|Ursprüngliche Nachricht|Message d'origine"
    r"|Mensaje original|Messaggio originale|Oorspronkelijk bericht|原始邮件|転送)\s?-{2,}$"
    r"|_{20,}$",
    re.I,
)
_SIGNATURE: Final = re.compile(
    r"--\s?$|(?:Sent from my|Sent from Outlook|Get Outlook for|Sent via|Von meinem|Gesendet von"
    r"|Envoyé de mon|Enviado desde mi|Inviato da|Verstuurd vanaf|发自我的|发送自|iPhoneから送信"
    r"|나의 .{1,20}에서 보냄)(?:\s|\b|$)",
    re.I,
)
# The address our own letters ask to reply to.
_REPLY_MARK: Final = re.compile(r"\+[a-z2-7]{42}@", re.I)


def written(text: str) -> str:
    """Return what the sender wrote themselves; empty when that is nothing."""
    lines = text.replace("\r\n", "\n").replace("\r", "\n").split("\n")[:LINES_MAX]
    kept: list[str] = []
    for at, line in enumerate(lines):
        if _is_end(lines, at, line.strip()):
            break
        if not line.lstrip().startswith(">"):
            kept.append(line.rstrip())
    said = "\n".join(kept)
    return re.sub(r"\n{3,}", "\n\n", said).strip("\n").strip()


def _is_end(lines: list[str], at: int, line: str) -> bool:
    """Whether what the sender wrote ends before this line."""
    if not line or line.startswith(">"):
        return False
    if _REPLY_MARK.search(line[:LINE_MAX_CHARS]):
        return True
    if len(line) > HEADER_LINE_MAX_CHARS:
        return False
    if _CUT.match(line) or _SIGNATURE.match(line):
        return True
    below = [each.strip().lstrip("> ") for each in lines[at + 1 : at + 3]]
    if _HEAD.match(line) and any(_HEAD.match(each[:HEADER_LINE_MAX_CHARS]) for each in below):
        return True
    if not _BEGINS.match(line):
        return False
    whole = line
    while len(whole) <= HEADER_LINE_MAX_CHARS:
        if _ENDS.search(whole[-120:]):
            return True
        if not below or not below[0] or _BEGINS.match(below[0]):
            return False
        whole = f"{whole} {below.pop(0)}"
    return False
