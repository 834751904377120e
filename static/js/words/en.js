/* The words of scripts: English as the code says them. `manage.py compile_words` makes the modules
   of other languages; `@/words.js` is that of the page. */
const filled = (text, values) => text.replace(/%\((\w+)\)s/g, (_, name) => values[name]);

/** Speak by a catalogue; `form` gives the plural form of a count.
 *  gettext("Copy %(what)s", { what }), ngettext("%(count)s day", "%(count)s days", 3) */
export function speaking(catalogue, form) {
  const said = (text, count) => [].concat(catalogue[text] ?? [])[form(count)];
  return {
    gettext: (text, values) => filled([].concat(catalogue[text] ?? text)[0], values),
    ngettext: (one, many, count) => filled(said(one, count) ?? (count === 1 ? one : many), { count }),
  };
}

export const { gettext, ngettext } = speaking({}, () => 0);
