// The Archive page below its search box: facets, timeline, list of posts, the opened post.
//
// Python sends the whole state; every click goes back as { set: {parameter: value or null} }, which
// Python writes into the address. dom.js stands before this script.

const FEW = 8 // values of a facet that are shown before "more"

// ---------------------------------------------------------------- facets

function drawNarrow(page) {
  const { data, parts } = page
  const box = make("details", "facets")
  box.open = page.facetsOpen ?? !matchMedia("(max-width: 760px)").matches
  box.ontoggle = () => (page.facetsOpen = box.open)
  const chosen = data.facets.filter((facet) => facet.chosen !== null)
  const head = make("summary", "", "Filters")
  if (chosen.length) head.append(make("span", "badge", String(chosen.length)))
  box.append(head)
  if (chosen.length || data.from || data.to) {
    const none = Object.fromEntries([...data.facets.map((facet) => [facet.name, null]), ["from", null], ["to", null]])
    box.append(button("clear", "Clear all filters", () => page.set(none)))
  }
  for (const facet of data.facets) if (facet.values.length) box.append(drawFacet(page, facet))
  parts.narrow.hidden = !data.facets.some((facet) => facet.values.length)
  parts.root.classList.toggle("alone", parts.narrow.hidden)
  parts.narrow.replaceChildren(box)
}

function drawFacet(page, facet) {
  const group = make("fieldset")
  group.append(make("legend", "", facet.title))
  const most = Math.max(...facet.values.map((one) => one.posts), 1)
  const all = page.unfolded.has(facet.name) || facet.values.length <= FEW + 1
  const shown = all ? facet.values : facet.values.filter((one, at) => at < FEW || one.value === facet.chosen)
  for (const one of shown) {
    const on = one.value === facet.chosen
    const row = button("value", null, () => page.set({ [facet.name]: on ? null : one.value }))
    row.setAttribute("aria-pressed", String(on))
    row.dataset.facet = facet.name
    row.dataset.value = one.value
    const share = make("i", "share")
    share.style.width = one.posts * 50 < most ? 0 : `${(100 * one.posts) / most}%`
    const label = outside("label", one.label)
    label.title = one.label
    row.append(share, mark(page, facet.name, one.value), label, make("span", "count", number.format(one.posts)))
    group.append(row)
  }
  if (!all) {
    const rest = facet.values.length - shown.length
    group.append(button("more", `${rest} more`, () => (page.unfolded.add(facet.name), page.draw())))
  }
  return group
}

function mark(page, name, value) {
  const node = make("span", "mark")
  if (name === "theme") {
    node.classList.add("swatch")
    node.style.setProperty("--theme", page.colour(value))
  } else if (name === "sentiment" && GLYPHS[value]) {
    node.classList.add(value)
    node.textContent = GLYPHS[value]
  } else node.hidden = true
  return node
}

// ---------------------------------------------------------------- timeline

function drawTime(page) {
  const { data, parts } = page
  const line = data.timeline
  parts.time.hidden = !line && !data.from && !data.to
  if (parts.time.hidden) return
  const head = make("header")
  head.append(make("h2", "", "Over time"))
  head.append(make("span", "muted hint", line ? `${line.every} a bar, ${data.zone}; drag to zoom in` : data.zone))
  head.append(drawRange(page))
  const nodes = [head]
  const room = parts.time.clientWidth - 32 || 600 // pixels
  if (line) nodes.push(drawBars(page, line), drawAxis(line, room))
  if (line && line.slots.length) nodes.push(drawSlots(page, line, room))
  parts.time.replaceChildren(...nodes)
}

function drawRange(page) {
  const { data } = page
  const form = make("form", "range")
  const field = (name, label) => {
    const box = make("label")
    box.append(make("span", "", label))
    const input = make("input")
    input.type = "datetime-local"
    input.name = name
    input.value = data[name] ?? ""
    input.setAttribute("aria-label", `${label} (${data.zone})`)
    input.onkeydown = (event) => event.key === "Enter" && (event.preventDefault(), input.blur())
    input.onblur = () => {
      if (input.value !== (data[name] ?? "")) page.set({ [name]: input.value || null })
    }
    box.append(input)
    return box
  }
  form.onsubmit = (event) => event.preventDefault()
  form.append(field("from", "From"), field("to", "To"))
  if (data.from || data.to) form.append(button("", "All times", () => page.set({ from: null, to: null })))
  return form
}

function drawBars(page, line) {
  const most = Math.max(...line.counts, 1)
  const peak = line.counts.indexOf(most)
  const plot = make("div", "bars")
  plot.setAttribute("role", "img")
  plot.setAttribute(
    "aria-label",
    `${number.format(line.counts.reduce((a, b) => a + b, 0))} posts from ${spoken(line.edges[0])} to ` +
      `${spoken(line.edges.at(-1))}; most in one bar: ${number.format(most)} at ${spoken(line.edges[peak])}`,
  )
  const bars = line.counts.map((posts) => {
    const bar = make("i")
    bar.style.height = posts ? `max(2px, ${(100 * posts) / most}%)` : "0"
    return bar
  })
  plot.append(...bars)
  const tip = make("output", "tip")
  tip.hidden = true
  plot.append(tip)
  const brush = make("b", "brush")
  brush.hidden = true
  plot.append(brush)
  wireBrush(page, line, plot, brush, tip)
  const scale = make("span", "most", number.format(most))
  const frame = make("div", "plot")
  frame.append(scale, plot)
  return frame
}

function wireBrush(page, line, plot, brush, tip) {
  const size = line.counts.length
  let began = null
  const at = (event) => {
    const box = plot.getBoundingClientRect()
    return Math.min(size - 1, Math.max(0, Math.floor(((event.clientX - box.left) / box.width) * size)))
  }
  const paint = (one, two) => {
    const [a, b] = one < two ? [one, two] : [two, one]
    brush.hidden = false
    brush.style.left = `${(100 * a) / size}%`
    brush.style.width = `${(100 * (b - a + 1)) / size}%`
    return [a, b]
  }
  plot.onpointerdown = (event) => {
    began = at(event)
    plot.setPointerCapture(event.pointerId)
    paint(began, began)
  }
  plot.onpointermove = (event) => {
    const here = at(event)
    if (began !== null) paint(began, here)
    tip.hidden = false
    const count = line.counts[here]
    tip.replaceChildren(`${spoken(line.edges[here])} · ${number.format(count)} post${count === 1 ? "" : "s"}`)
    for (const title of sessionsAt(line, here)) tip.append(" · ", outside("", title))
    const share = (here + 0.5) / size
    tip.style.left = `${100 * share}%`
    tip.style.transform = `translateX(${-100 * share}%)`
  }
  plot.onpointerleave = () => (tip.hidden = true)
  plot.onpointerup = (event) => {
    if (began === null) return
    const [a, b] = paint(began, at(event))
    began = null
    page.set({ from: line.edges[a], to: line.edges[b + 1] })
  }
  plot.onpointercancel = () => ((began = null), (brush.hidden = true))
}

// What the agenda has while a bar lasts.
function sessionsAt(line, at) {
  const under = line.slots.flat().filter((slot) => slot.from < line.edges[at + 1] && line.edges[at] < slot.to)
  return under.map((slot) => slot.title)
}

const MONTHS = ["Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec"]

// "2012-03-26T09:30" as it is read: the meeting's wall clock, in no browser's zone.
function spoken(local) {
  return `${Number(local.slice(8, 10))} ${MONTHS[Number(local.slice(5, 7)) - 1]} ${local.slice(11)}`
}

const STEPS = [1, 2, 5, 10, 15, 30, 60, 120, 180, 240, 360, 720, 1440] // minutes between two labels

function drawAxis(line, room) {
  const axis = make("div", "axis")
  const size = line.counts.length
  const most = Math.max(2, Math.floor(room / 120))
  const total = (size * line.width) / 60
  const step = STEPS.find((one) => one >= line.width / 60 && total / one <= most)
  const every = step ? 0 : Math.ceil(size / most) // days: a label every so many bars
  let day = ""
  for (let at = 0; at < size; at++) {
    const edge = line.edges[at]
    const minute = Number(edge.slice(11, 13)) * 60 + Number(edge.slice(14))
    if (every ? at % every : minute % step && at) continue
    if (size - at < size / most / 2 && at) break // no room for its label
    const text = every ? spoken(edge).slice(0, -6) : edge.slice(0, 10) === day ? edge.slice(11) : spoken(edge)
    const next = every ? 0 : (step - (minute % step)) / (line.width / 60)
    if (!at && !every && minute % step && (next / size) * room < 110) continue // the next one would touch it
    day = edge.slice(0, 10)
    const tick = make("span", "", text)
    tick.style.left = `${(100 * at) / size}%`
    axis.append(tick)
  }
  return axis
}

function drawSlots(page, line, room) {
  const rows = make("div", "slots")
  for (const row of line.slots) {
    const band = make("div", "band")
    for (const slot of row) {
      const node = button("slot", null, () => page.set({ from: slot.from, to: slot.to }), `Only ${slot.title}`)
      if ((slot.width / 100) * room > 48) node.append(outside("", slot.title))
      node.title = `${slot.title}, ${spoken(slot.from)} to ${slot.to.slice(11)}`
      node.style.left = `${slot.left}%`
      node.style.width = `${slot.width}%`
      node.classList.toggle("pause", slot.pause)
      band.append(node)
    }
    band.classList.toggle("thin", !band.textContent)
    rows.append(band)
  }
  return rows
}

// ---------------------------------------------------------------- list

function drawList(page) {
  const { data, parts } = page
  const head = make("header")
  const count = make("h2", "", data.problem ? "This search cannot be understood" : `${number.format(data.total)} post${data.total === 1 ? "" : "s"}`)
  count.setAttribute("role", "status")
  head.append(count)
  if (data.posts.length) head.append(drawTools(page))
  const nodes = [head]
  const chips = drawChosen(page)
  if (chips) nodes.push(chips)
  if (data.problem) nodes.push(notice("problem", data.problem, data.advice))
  else if (!data.posts.length) nodes.push(notice("empty", data.empty.what, data.empty.do))
  const list = make("ol", "posts")
  for (const post of data.posts) list.append(drawPost(page, post))
  nodes.push(list)
  if (data.more) {
    nodes.push(button("next", data.more, () => page.act({ more: data.posts.length })))
  } else if (data.rest) nodes.push(make("p", "muted rest", data.rest))
  parts.list.replaceChildren(...nodes)
}

function drawTools(page) {
  const { data } = page
  const tools = make("span", "tools")
  const order = make("span", "order")
  order.setAttribute("role", "group")
  order.setAttribute("aria-label", "Order")
  for (const [value, label] of [["newest", "Newest first"], ["oldest", "Oldest first"]]) {
    const one = button("", label, () => page.set({ order: value === "newest" ? null : value }))
    one.setAttribute("aria-pressed", String(data.order === value))
    order.append(one)
  }
  const link = button("link", "Copy link", async () => {
    const copied = await copy(location.href)
    link.textContent = copied ? "Copied ✓" : "Copy it from the address bar"
    setTimeout(() => (link.textContent = "Copy link"), 2500)
  })
  tools.append(order, link)
  return tools
}

async function copy(text) {
  try {
    await navigator.clipboard.writeText(text)
    return true
  } catch {
    const field = make("textarea", "", null) // no clipboard without https: the old way
    field.value = text
    document.body.append(field)
    field.select()
    const copied = document.execCommand("copy")
    field.remove()
    return copied
  }
}

function drawChosen(page) {
  const { data } = page
  const chosen = data.facets.filter((facet) => facet.chosen !== null)
  if (!chosen.length && !data.from && !data.to) return null
  const row = make("p", "chosen")
  for (const facet of chosen) {
    const chip = button("chip", null, () => page.set({ [facet.name]: null }), `Remove ${facet.title}: ${facet.label}`)
    chip.append(`${facet.title}: `, outside("", facet.label), make("span", "x", "×"))
    row.append(chip)
  }
  if (data.from || data.to) {
    const words = [data.from && `from ${spoken(data.from)}`, data.to && `to ${spoken(data.to)}`].filter(Boolean)
    const chip = button("chip", null, () => page.set({ from: null, to: null }), "Remove the limits of time")
    chip.append(words.join(" "), make("span", "x", "×"))
    row.append(chip)
  }
  return row
}

function notice(className, what, advice) {
  const node = make("div", `notice ${className}`)
  if (className === "problem") node.setAttribute("role", "alert")
  node.append(make("p", "", what))
  if (advice.length) {
    const list = make("ul")
    for (const line of advice) list.append(make("li", "", line))
    node.append(list)
  }
  return node
}

function drawPost(page, post) {
  const item = make("li", "post")
  item.dataset.key = post.key
  item.style.setProperty("--theme", page.colour(post.themes[0]))
  if (page.data.open?.key === post.key) item.classList.add("opened")
  const show = () => page.set({ post: post.key })
  item.onclick = (event) => {
    if (!event.target.closest("button") && !String(getSelection())) show()
  }
  item.append(byline(post), text(post.segments), tags(page, post, show))
  return item
}

function byline(post) {
  const head = make("p", "by")
  head.append(outside("author", post.author))
  const about = [post.name, post.kind, post.source].filter(Boolean)
  const what = make("span", "what")
  about.forEach((one, at) => what.append(at ? " · " : "", outside("", one)))
  const when = make("time", "", post.when)
  when.dateTime = post.at
  head.append(what, when)
  return head
}

// Pieces of a text; a piece is marked where it was found by the search, or has the slug of a theme.
function text(segments, page) {
  const node = make("p", "text")
  node.dir = "auto"
  for (const [piece, match] of segments) {
    const part = match ? make("mark", typeof match === "string" ? "theme" : "", piece) : piece
    if (typeof match === "string") {
      part.style.setProperty("--theme", page.colour(match))
      part.title = page.data.themes[match]?.title ?? match
    }
    node.append(part)
  }
  return node
}

function tags(page, post, show) {
  const row = make("p", "tags")
  if (!post.tagged) row.append(make("span", "", "not tagged yet"))
  for (const slug of post.themes) {
    const chip = outside("tag theme", page.data.themes[slug]?.title ?? slug)
    chip.style.setProperty("--theme", page.colour(slug))
    row.append(chip)
  }
  if (post.mood) {
    const chip = make("span", `tag ${post.mood}`)
    chip.append(make("i", "", GLYPHS[post.mood]), post.mood.replace("_", " "))
    row.append(chip)
  }
  if (post.question) row.append(make("span", "tag question", post.to_chair ? "question to the chair" : "question"))
  if (post.asked) row.append(make("span", "tag", post.asked))
  if (post.logistics) row.append(make("span", "tag logistics", "stream, sound, room"))
  if (post.language) row.append(make("span", "tag", post.language))
  if (post.edited) row.append(make("span", "tag", "edited"))
  if (show) {
    const words = post.replies ? `${number.format(post.replies)} ${post.replies === 1 ? "reply" : "replies"}` : "Details"
    row.append(button(post.replies ? "details" : "details plain", words, show, `Open the post of ${post.author}`))
  }
  return row
}

// ---------------------------------------------------------------- the opened post

function drawOpen(page) {
  const { data, parts } = page
  const post = data.open
  parts.open.hidden = !post
  parts.shade.hidden = !post
  parts.root.classList.toggle("with-open", Boolean(post))
  if (!post) return parts.open.replaceChildren()
  const close = () => page.set({ post: null })
  parts.shade.onclick = close
  parts.open.onkeydown = (event) => {
    if (event.key === "Escape") page.form ? page.shutForm() : close()
  }
  const head = make("header")
  head.append(make("h2", "", "Post"), button("close", "Close ×", close))
  if (post.gone) return parts.open.replaceChildren(head, notice("empty", post.gone, []))
  const body = make("article", "whole")
  body.style.setProperty("--theme", page.colour(post.themes[0]))
  body.append(byline(post), text(post.segments, page), tags(page, post, null), make("p", "muted", post.place))
  if (post.url) body.append(button("out", "Open at its source ↗", () => open(post.url, "_blank", "noopener,noreferrer")))
  const parts_ = [head, body]
  for (const [title, one] of [["Passes on", post.passed_on], ["Quotes", post.quoted]]) {
    if (one) parts_.push(section(title, [plain(page, one)]))
  }
  parts_.push(drawWhy(page, post))
  if (post.alike.length) parts_.push(section("Asked by others too", post.alike.map((one) => plain(page, one))))
  if (post.thread.length || post.absent) parts_.push(section("Thread", thread(page, post)))
  if (post.versions.length) parts_.push(section("What it said before", versions(post)))
  if (post.engagement.length) parts_.push(section("As the network counted", [engagement(post)]))
  parts_.push(make("p", "muted key", post.key))
  parts.open.replaceChildren(...parts_)
}

function section(title, nodes) {
  const node = make("section")
  node.append(make("h3", "", title), ...nodes)
  return node
}

function plain(page, post) {
  const box = make("div", "other")
  box.dataset.key = post.key
  box.style.setProperty("--theme", page.colour(post.themes[0]))
  box.append(byline(post), text(post.segments))
  box.onclick = () => !String(getSelection()) && page.set({ post: post.key })
  return box
}

function thread(page, post) {
  const nodes = post.absent ? [make("p", "muted", post.absent)] : []
  for (const one of post.thread) {
    const box = plain(page, one)
    box.style.marginLeft = `${Math.min(one.depth, 6) * 14}px`
    if (one.key === post.key) {
      box.classList.add("this")
      box.onclick = null
    }
    nodes.push(box)
  }
  if (post.cut) nodes.push(make("p", "muted", post.cut))
  return nodes
}

function versions(post) {
  return post.versions.map((version) => {
    const box = make("div", "version")
    box.append(make("p", "muted", version.when), text([[version.text, false]]))
    return box
  })
}

// ---------------------------------------------------------------- why these tags, and the correction of them

function drawWhy(page, post) {
  const { correcting, saved } = page.data
  if (page.form?.key !== post.key) page.form = null
  const nodes = []
  if (saved.key === post.key && !saved.problem) {
    const said = make("p", "saved", saved.said)
    said.setAttribute("role", "status")
    nodes.push(said)
  }
  if (page.form) nodes.push(page.form.node)
  if (post.failure) nodes.push(outside("muted", post.failure))
  if (!post.why.length && !post.failure) nodes.push(make("p", "muted", "No tagger has read this post yet."))
  post.why.forEach((reason, at) => nodes.push(drawReason(page, reason, post.why[at - 1]?.title === reason.title)))
  if (post.history.length) nodes.push(drawHistory(post.history))
  const node = section("Why these tags", nodes)
  if (correcting && !page.form) {
    const head = make("header", "why-head")
    head.append(node.firstElementChild, button("correct", "Correct", () => openForm(page, post)))
    node.prepend(head)
  }
  return node
}

function drawReason(page, reason, again) {
  const box = make("div", "reason")
  box.dataset.component = reason.component
  box.classList.toggle("outvoted", reason.outvoted)
  box.append(make("b", "", again ? "" : reason.title))
  const head = make("p", "said")
  for (const [value, label] of reason.labels) {
    const one = make("span", "one")
    if (reason.component === "theme") one.append(mark(page, "theme", value))
    if (reason.component === "sentiment" && GLYPHS[value]) one.append(make("span", `mark ${value}`, GLYPHS[value]))
    one.append(outside("verdict", label))
    head.append(one)
  }
  if (reason.score !== null) head.append(drawMeter(reason.score))
  if (reason.person) head.append(drawPerson(reason.person))
  if (reason.outvoted) head.append(make("span", "muted", "said the tagger"))
  box.append(head)
  if (reason.chances) box.append(drawChances(reason.chances))
  for (const [said, words, fired] of reason.lines) box.append(drawLine(said, words, fired))
  box.append(outside("muted small by-whom", reason.by))
  return box
}

function drawPerson(name) {
  const node = make("span", "person", "by ")
  node.append(outside("", name))
  return node
}

function drawMeter(score) {
  const box = make("span", "score")
  const meter = make("span", "meter")
  const fill = make("i")
  fill.style.width = `${Math.round(100 * Math.min(1, Math.max(0, score)))}%`
  meter.append(fill)
  box.append(meter, make("span", "muted", score.toFixed(2)))
  return box
}

function drawChances(chances) {
  const box = make("div", "chances")
  const bar = make("div", "bar")
  const words = make("p", "muted small")
  for (const [label, share] of chances) {
    const part = make("i", label)
    part.style.width = `${100 * share}%`
    bar.append(part)
    const word = make("span", label)
    word.append(make("i", "", GLYPHS[label]), ` ${label} ${Math.round(100 * share)}%`)
    words.append(word)
  }
  bar.setAttribute("aria-hidden", "true")
  box.append(bar, words)
  return box
}

function drawLine(said, words, fired) {
  const line = make("p", "line")
  line.append(outside("", said))
  for (const word of words) line.append(" ", outside(fired ? "word fired" : "word", word))
  return line
}

function drawHistory(history) {
  const box = make("details", "history")
  const people = history.filter((entry) => entry.person).length
  box.append(make("summary", "", people ? `History: ${counted(people, "correction")}` : "History"))
  box.open = people > 0
  const list = make("ol")
  for (const entry of history) {
    const item = make("li", entry.person ? "by-person" : "")
    const head = make("p", "")
    head.append(outside("who", entry.who), " ", make("time", "muted", entry.when))
    item.append(head, outside(entry.past ? "deed past" : "deed", entry.said.join(" · ")))
    if (entry.note) item.append(outside("note", `“${entry.note}”`))
    list.append(item)
  }
  box.append(list)
  return box
}

// The form keeps its node for as long as it is open: what was typed survives whatever is drawn around it.
function openForm(page, post) {
  const form = make("form", "correcting")
  form.noValidate = true
  form.append(drawThemes(page, post), ...drawChoices(post.values), drawLanguages(page.data.correcting, post.values))
  const note = make("label", "field")
  const why = make("input")
  why.name = "note"
  why.maxLength = 500
  why.placeholder = "may stay empty"
  note.append(make("span", "", "Why"), why)
  const problem = make("p", "problem")
  problem.setAttribute("role", "alert")
  problem.hidden = true
  const save = make("button", "save", "")
  save.type = "submit"
  const buttons = make("p", "buttons")
  buttons.append(save, button("cancel", "Cancel", () => page.shutForm()))
  form.append(nameField("Your name"), note, problem, buttons)
  const first = valuesOf(form)
  const label = () => (save.textContent = touched(first, valuesOf(form)) ? "Save correction" : "Confirm as right")
  form.oninput = label
  label()
  form.onsubmit = (event) => {
    event.preventDefault()
    const values = valuesOf(form)
    const by = form.elements.by.value.trim()
    if (!by) return (explain(page, "Please write your name: a correction says who made it."), form.elements.by.focus())
    remember(by)
    const said = touched(first, values) ?? confirmed(values)
    page.act({ correct: { key: post.key, by, note: why.value.trim(), ...said } })
  }
  page.form = { key: post.key, node: form, problem }
  page.draw()
  form.querySelector("input")?.focus({ preventScroll: true })
  // Into view within its panel; scrollIntoView() would move the page as well.
  const panel = page.parts.open
  const over = form.offsetTop + form.offsetHeight - panel.scrollTop - panel.clientHeight
  if (over > 0) panel.scrollTop += Math.min(over + 12, form.offsetTop - panel.scrollTop - 60)
}

function explain(page, text) {
  page.form.problem.hidden = !text
  page.form.problem.textContent = text
}

function valuesOf(form) {
  const { elements } = form
  const chosen = [...form.querySelectorAll("[name=theme]")]
  return {
    themes: chosen.filter((box) => box.checked).map((box) => box.value),
    sentiment: elements.sentiment.value || null,
    question: elements.question.value ? elements.question.value === "yes" : null,
    language: elements.language.value || null,
  }
}

// What a person changed, or null where that is nothing.
function touched(first, values) {
  const changed = Object.keys(values).filter((name) => String(values[name]) !== String(first[name]))
  return changed.length ? Object.fromEntries(changed.map((name) => [name, values[name]])) : null
}

function confirmed({ themes, sentiment, question }) {
  return { themes, sentiment, question }
}

function drawThemes(page, post) {
  const group = make("fieldset", "pick")
  group.append(make("legend", "", "Themes"))
  const themes = page.data.correcting.themes
  for (const slug of themes) {
    const label = make("label", "tick")
    const box = make("input")
    box.type = "checkbox"
    box.name = "theme"
    box.value = slug
    box.checked = post.themes.includes(slug)
    label.append(box, mark(page, "theme", slug), outside("", page.data.themes[slug]?.title ?? slug))
    group.append(label)
  }
  group.append(make("p", "muted small", themes.length ? "None ticked: no theme." : "The meeting has no themes."))
  return group
}

const CHOICES = [
  ["sentiment", "Sentiment", [["positive", "positive"], ["neutral", "neutral"], ["negative", "negative"]]],
  ["question", "Question", [["yes", "yes"], ["no", "no"]]],
]

function drawChoices(values) {
  return CHOICES.map(([name, title, options]) => {
    const group = make("fieldset", "pick row")
    group.append(make("legend", "", title))
    for (const [value, text] of options) {
      const label = make("label", `pill ${value}`)
      const radio = make("input")
      radio.type = "radio"
      radio.name = name
      radio.value = value
      radio.checked = values[name] === value
      if (GLYPHS[value]) label.append(radio, make("i", "", GLYPHS[value]), text)
      else label.append(radio, text)
      group.append(label)
    }
    return group
  })
}

function drawLanguages(correcting, values) {
  const field = make("label", "field")
  const select = make("select")
  select.name = "language"
  const known = correcting.languages.some(([code]) => code === values.language)
  for (const [code, name] of known ? correcting.languages : [[values.language, values.language], ...correcting.languages]) {
    const option = make("option", "", name)
    option.value = code
    option.selected = code === values.language
    select.append(option)
  }
  field.append(make("span", "", "Language"), select)
  return field
}

function engagement(post) {
  const table = make("table")
  const names = ["likes", "reposts", "replies", "quotes", "impressions"]
  const known = names.filter((name) => post.engagement.some((row) => row[name] !== null))
  const head = make("tr")
  head.append(make("th", "", "seen"), ...known.map((name) => make("th", "", name)))
  table.append(head)
  for (const row of post.engagement) {
    const line = make("tr")
    line.append(make("td", "", row.when))
    for (const name of known) line.append(make("td", "", row[name] === null ? "–" : number.format(row[name])))
    table.append(line)
  }
  return table
}

// ---------------------------------------------------------------- what Streamlit calls

const pages = new WeakMap()

export default function ({ data, parentElement, setTriggerValue }) {
  let page = pages.get(parentElement)
  if (!page) {
    page = { parts: {}, unfolded: new Set() }
    for (const node of parentElement.querySelectorAll("[data-id]")) page.parts[node.dataset.id] = node
    page.parts.root = parentElement.querySelector(".archive")
    pages.set(parentElement, page)
  }
  page.data = data
  page.act = (action) => {
    page.parts.root.classList.add("busy")
    setTriggerValue("act", action)
  }
  page.set = (values) => page.act({ set: values })
  page.colour = (slug) => data.themes[slug]?.colours[page.dark ? 1 : 0] ?? "var(--none)"
  page.shutForm = () => {
    page.form = null
    page.draw()
    parentElement.querySelector(".open .correct")?.focus({ preventScroll: true })
  }
  page.draw = () => {
    const opened = page.parts.open.dataset.key
    const active = parentElement.activeElement
    const focused = whereabouts(parentElement)
    const { scrollTop } = page.parts.open
    drawNarrow(page)
    drawTime(page)
    drawList(page)
    drawOpen(page)
    page.parts.open.dataset.key = data.open?.key ?? ""
    const fresh = Boolean(data.open) && data.open.key !== opened
    page.parts.open.scrollTop = fresh ? 0 : scrollTop
    if (!fresh && focused && active?.isConnected) return active.focus({ preventScroll: true })
    const closed = opened && !data.open ? detailsOf(opened) : focused
    const target = fresh && opened !== undefined ? ".open .close" : closed
    if (target) parentElement.querySelector(target)?.focus({ preventScroll: true })
  }
  const host = parentElement.host ?? parentElement
  page.dark = isDark(getComputedStyle(host).getPropertyValue("--st-background-color"))
  page.parts.root.dataset.theme = page.dark ? "dark" : "light"
  page.parts.root.classList.remove("busy")
  if (page.saved !== data.saved.number) {
    page.saved = data.saved.number
    if (data.saved.problem && page.form) explain(page, data.saved.problem)
    else if (page.form) return page.shutForm()
  }
  page.draw()
}

// Where the keyboard is, as a selector that finds the same place after everything was drawn anew.
function whereabouts(root) {
  const node = root.activeElement ?? null
  if (!node || node === root.host) return null
  if (node.dataset.facet) return `[data-facet="${CSS.escape(node.dataset.facet)}"][data-value="${CSS.escape(node.dataset.value)}"]`
  if (node.name) return `[name="${CSS.escape(node.name)}"]`
  const post = node.closest(".post")
  if (post) return detailsOf(post.dataset.key)
  return node.className ? `.${node.className.split(" ").join(".")}` : null
}

function detailsOf(key) {
  return `.post[data-key="${CSS.escape(key)}"] .details`
}
