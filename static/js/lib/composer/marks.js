/* What the toolbar writes round or before the selection. Pressed again it takes the marks off. */
import { gettext } from "@/words.js";

const around = (mark, words) => (box, { text, start, end }) => {
  const inside = text.slice(start, end);
  const [before, after] = [text.slice(start - mark.length, start), text.slice(end, end + mark.length)];
  if (before === mark && after === mark) return box.put(inside, start - mark.length, end + mark.length, [0, inside.length]);
  if (inside.length > 2 * mark.length && inside.startsWith(mark) && inside.endsWith(mark)) {
    const bare = inside.slice(mark.length, -mark.length);
    return box.put(bare, start, end, [0, bare.length]);
  }
  // Marks hold only where no space is inside them.
  const [, lead, bare, tail] = /^(\s*)([^]*?)(\s*)$/.exec(inside);
  const said = bare || words();
  box.put(lead + mark + said + mark + tail, start, end, [lead.length + mark.length, said.length]);
};

const before = (mark, pattern, words) => (box, { text, start, end }) => {
  const from = text.lastIndexOf("\n", start - 1) + 1;
  const to = text.indexOf("\n", end) < 0 ? text.length : text.indexOf("\n", end);
  const lines = text.slice(from, to);
  if (lines && lines.split("\n").every((line) => pattern.test(line))) {
    const bare = lines.split("\n").map((line) => line.replace(pattern, "")).join("\n");
    return box.put(bare, from, to, [0, bare.length]);
  }
  const said = (lines || words()).split("\n").map((line) => mark + line).join("\n");
  const lead = from > 0 && text[from - 2] !== "\n" && mark !== "> " && !pattern.test(text.slice(0, from).split("\n").at(-2) ?? "") ? "\n" : "";
  const tail = mark === "> " ? "\n\n" : "";
  box.put(lead + said + tail, from, to, lines ? [lead.length + said.length + tail.length, 0] : [lead.length + mark.length, said.length - mark.length]);
};

export const MARKS = {
  bold: around("**", () => gettext("bold words")),
  italic: around("*", () => gettext("words that lean")),
  quote: before("> ", /^> ?/, () => gettext("what they said")),
  list: before("- ", /^[-*] /, () => gettext("first")),
  link(box, { text, start, end }) {
    const words = text.slice(start, end);
    if (/^https?:\/\/\S+$/.test(words)) return box.put(`[${gettext("words")}](${words})`, start, end, [1, gettext("words").length]);
    const said = words || gettext("words");
    box.put(`[${said}](https://)`, start, end, words ? [said.length + 3, 8] : [1, said.length]);
  },
  code(box, selected) {
    const words = selected.text.slice(selected.start, selected.end);
    if (!words.includes("\n")) return around("`", () => gettext("code"))(box, selected);
    const lead = selected.start > 0 && selected.text[selected.start - 1] !== "\n" ? "\n" : "";
    box.put(`${lead}\`\`\`\n${words.replace(/\n$/, "")}\n\`\`\`\n`, selected.start, selected.end, [lead.length + 4, words.replace(/\n$/, "").length]);
  },
};
