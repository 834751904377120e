/* What on a thread's page is this reader's alone (community/mine): the pieces of the page are the
   same for everybody, here they are marked. Null for a guest. */
const carried = document.getElementById("mine");
export const mine = carried && JSON.parse(carried.textContent);
const folded = new Set(mine?.folded);
export const folds = (member) => folded.has(Number(member));

/** Mark the posts below `root`: reactions given, bookmarks, own posts, and, where the server has not
 *  done so, the divider and posts that fold. */
export function mark(root) {
  if (!mine) return;
  for (const post of root.querySelectorAll(".post[data-post]")) {
    const own = mine.posts[post.dataset.post] ?? {};
    for (const button of post.querySelectorAll(".react[name]"))
      if (own.reactions) button.ariaPressed = String(own.reactions.includes(button.value));
    if ("bookmark" in own) post.toggleAttribute("data-bookmarked", own.bookmark);
    if (Number(post.dataset.author) === mine.member) post.setAttribute("data-mine", "");
    else if (folds(post.dataset.author) && !post.closest(".folded")) fold(post);
    if (post.id === `p${mine.first}` && !document.getElementById("new")) divide(post);
  }
}

function fold(post) {
  const box = made("folded-words");
  if (!box) return;
  post.before(box);
  box.append(post);
}

function divide(post) {
  const line = made("divider-words");
  if (line) (post.closest(".folded") ?? post).before(line);
}

const made = (template) => document.getElementById(template)?.content.firstElementChild.cloneNode(true);
