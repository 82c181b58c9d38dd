// The Themes page below its heading: a card for each theme. dom.js stands before this script.
//
// A decision goes to Python as { decide: {theme, language, keyword, accepted, by} }, an example that is to
// be opened as its key.

const LONG = 12 // keywords that are shown before "more"

function drawCard(page, theme) {
  const card = make("section", "panel card")
  card.style.setProperty("--theme", theme.colours[page.dark ? 1 : 0])
  card.setAttribute("aria-label", theme.title)
  const head = make("header")
  head.append(outside("title", theme.title), make("span", "muted count", counted(theme.posts, "post")))
  card.append(head)
  if (theme.description) card.append(outside("description", theme.description))
  card.append(drawKeywords(page, theme), drawTaught(theme), ...drawSuggestions(page, theme))
  if (theme.decided.length) card.append(drawDecided(page, theme))
  return card
}

function drawKeywords(page, theme) {
  const box = make("div", "keywords")
  const all = theme.keywords.flatMap(([code, words]) => words.map((word) => [code, word]))
  const open = page.unfolded.has(theme.slug)
  let last = ""
  for (const [code, word] of open ? all : all.slice(0, LONG)) {
    if (code !== last) box.append(make("span", "code", code))
    last = code
    box.append(outside("plain", word))
  }
  if (!all.length) box.append(make("span", "muted small", "No keywords: found by its title and description alone."))
  if (all.length > LONG) {
    const toggle = button("more", open ? "fewer" : `${all.length - LONG} more`, () => {
      open ? page.unfolded.delete(theme.slug) : page.unfolded.add(theme.slug)
      page.draw()
    })
    toggle.dataset.act = `more ${theme.slug}`
    box.append(toggle)
  }
  return box
}

// Below a handful of corrections a fit would follow the accidents of a few posts.
function drawTaught(theme) {
  const line = make("p", "taught small")
  const done = Math.min(1, theme.corrections / theme.enough)
  const meter = make("span", "meter")
  const fill = make("i")
  fill.style.width = `${100 * done}%`
  meter.append(fill)
  const rest = theme.enough - theme.corrections
  const words = rest > 0 ? `${counted(theme.corrections, "correction")}; ${rest} more until it learns from them` : `learns from ${counted(theme.corrections, "correction")}`
  line.append(meter, make("span", "muted", words))
  return line
}

function drawSuggestions(page, theme) {
  const heading = make("h3", "", "Suggested keywords")
  if (!theme.suggestions.length) {
    return [heading, make("p", "muted small", "None at the moment. They come from the words of the posts, in any of the meeting's languages.")]
  }
  const list = make("ol", "suggestions")
  for (const one of theme.suggestions) list.append(drawSuggestion(page, theme, one))
  const more = theme.more ? [make("p", "muted small", `${theme.more} more when these are decided.`)] : []
  return [heading, list, ...more]
}

function drawSuggestion(page, theme, one) {
  const id = JSON.stringify([theme.slug, one.language, one.keyword])
  const item = make("li")
  const open = page.open.has(id)
  const line = button("line", null, () => {
    open ? page.open.delete(id) : page.open.add(id)
    page.draw()
  })
  line.dataset.act = `open ${id}`
  line.setAttribute("aria-expanded", String(open))
  line.append(make("span", "code", one.language), outside("keyword", one.keyword))
  const without = one.new ? `, ${number.format(one.new)} without the theme` : ""
  item.append(line, make("span", "muted small use", `${counted(one.posts, "post")} by ${counted(one.authors, "author")}${without}`))
  if (!page.data.fixed) item.append(drawButtons(page, theme, one, id))
  if (open) item.append(drawExamples(page, one))
  return item
}

function drawButtons(page, theme, one, id) {
  const buttons = make("span", "decide")
  for (const [accepted, word, sign] of [[true, "Accept", "✓"], [false, "Reject", "✕"]]) {
    const node = button(accepted ? "accept" : "reject", `${sign} ${word}`, () => page.decide(theme, one, accepted), `${word} ${one.keyword} (${one.named}) for ${theme.title}`)
    node.dataset.act = `${word} ${id}`
    buttons.append(node)
  }
  return buttons
}

function drawExamples(page, one) {
  const list = make("ul", "examples")
  if (!one.examples.length) list.append(make("li", "muted", "The posts that showed it are gone."))
  for (const post of one.examples) {
    const item = make("li")
    const link = make("a")
    link.href = `?${new URLSearchParams({ page: "archive", post: post.key })}`
    link.onclick = (event) => {
      if (event.ctrlKey || event.metaKey || event.shiftKey) return
      event.preventDefault()
      page.go(post.key)
    }
    link.append(outside("who", post.author), " ", outside("", post.text))
    item.append(link)
    list.append(item)
  }
  return list
}

function drawDecided(page, theme) {
  const box = make("details", "decided")
  const accepted = theme.decided.filter((one) => one.accepted).length
  const rejected = theme.decided.length - accepted
  const words = [accepted && `${accepted} accepted`, rejected && `${rejected} rejected`].filter(Boolean)
  const summary = make("summary", "", words.join(", "))
  summary.dataset.act = `decided ${theme.slug}`
  box.append(summary)
  box.open = page.decided.has(theme.slug)
  box.ontoggle = () => (box.open ? page.decided.add(theme.slug) : page.decided.delete(theme.slug))
  const list = make("ol")
  for (const one of theme.decided) {
    const item = make("li", one.accepted ? "" : "rejected")
    const by = make("span", "muted small")
    by.append(one.accepted ? "accepted by " : "rejected by ", outside("", one.by), `, ${one.when}`)
    item.append(make("span", "code", one.language), outside("keyword", one.keyword), by)
    if (!page.data.fixed) {
      const word = one.accepted ? "Reject" : "Accept"
      const node = button("undo", word, () => page.decide(theme, one, !one.accepted), `${word} ${one.keyword} after all`)
      node.dataset.act = `undo ${JSON.stringify([theme.slug, one.language, one.keyword])}`
      item.append(node)
    }
    list.append(item)
  }
  box.append(list)
  return box
}

// ---------------------------------------------------------------- what Streamlit calls

const pages = new WeakMap()

export default function ({ data, parentElement, setTriggerValue }) {
  let page = pages.get(parentElement)
  if (!page) {
    page = { parts: {}, open: new Set(), unfolded: new Set(), decided: new Set(), saved: data.saved?.number }
    for (const node of parentElement.querySelectorAll("[data-id]")) page.parts[node.dataset.id] = node
    page.parts.root = parentElement.querySelector(".themes")
    page.parts.who.onsubmit = (event) => event.preventDefault()
    if (!data.fixed) page.parts.who.prepend(nameField("Your name"))
    pages.set(parentElement, page)
  }
  const { parts } = page
  page.data = data
  page.go = (key) => setTriggerValue("go", key)
  page.decide = (theme, one, accepted) => {
    const by = parts.who.elements.by.value.trim()
    explain(page, by ? "" : "Please write your name first: a decision says who made it.")
    if (!by) return parts.who.elements.by.focus()
    remember(by)
    parts.root.classList.add("busy")
    setTriggerValue("act", { decide: { theme: theme.slug, language: one.language, keyword: one.keyword, accepted, by } })
  }
  page.draw = () => {
    const act = parentElement.activeElement?.dataset?.act
    const place = [...parentElement.querySelectorAll("[data-act]")].indexOf(parentElement.activeElement)
    parts.learned.textContent = data.learned
    parts.how.textContent = data.fixed
      ? "Keywords that people accept help to find the theme in their language. This dashboard is read-only."
      : "Accept what belongs to a theme: it becomes a keyword, and the posts are re-tagged. Nothing is applied by itself."
    parts.cards.replaceChildren(...data.themes.map((theme) => drawCard(page, theme)))
    if (act === undefined) return
    const nodes = [...parentElement.querySelectorAll("[data-act]")]
    const again = nodes.find((node) => node.dataset.act === act) ?? nodes[Math.min(place, nodes.length - 1)]
    again?.focus({ preventScroll: true })
  }
  const host = parentElement.host ?? parentElement
  page.dark = isDark(getComputedStyle(host).getPropertyValue("--st-background-color"))
  parts.root.dataset.theme = page.dark ? "dark" : "light"
  if (page.saved !== data.saved?.number) {
    page.saved = data.saved?.number
    parts.root.classList.remove("busy")
    explain(page, data.saved?.problem ?? "")
  }
  const print = JSON.stringify([data, page.dark])
  if (page.print !== print) page.draw()
  page.print = print
}

function explain(page, text) {
  page.parts.problem.hidden = !text
  page.parts.problem.textContent = text
}
