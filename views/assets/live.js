// The pushed half of the Live page: key figures and newest posts.
//
// All parts of a page share one connection (globalThis), all tabs of a browser share one stream:
// the tab that holds a Web Lock listens to the server and passes everything on over a
// BroadcastChannel. Text reaches the page through textContent only.

const SHARED = Symbol.for("backchannel.live")
const SHOWN = 40
const PATIENCE = 4000 // ms without a word from the server before push counts as blocked
const SILENCE = 40000 // ms without a word from the leading tab before a tab listens by itself

// ---------------------------------------------------------------- the connection

function openLive(url, name) {
  const listeners = new Set()
  const live = { state: null, anchor: 0, push: "waiting", subscribe, receive }
  let source = null
  let channel = null
  let letGo = null // gives the lock back
  let heard = 0
  let timer = 0
  let closing = 0

  function subscribe(listener) {
    clearTimeout(closing)
    listeners.add(listener)
    if (listeners.size === 1 && !timer) start()
    return () => {
      listeners.delete(listener)
      // Streamlit unmounts and mounts again when a page is redrawn.
      if (!listeners.size) closing = setTimeout(stop, 1500)
    }
  }

  function start() {
    heard = performance.now()
    timer = setInterval(watch, 1000)
    if (!navigator.locks || !globalThis.BroadcastChannel) return listen()
    channel = new BroadcastChannel(name)
    channel.onmessage = ({ data }) => fromTab(data)
    channel.postMessage({ ask: true })
    navigator.locks.request(name, () => {
      if (!timer) return undefined
      listen()
      return new Promise((resolve) => (letGo = resolve))
    })
  }

  function stop() {
    clearInterval(timer)
    timer = 0
    source?.close()
    source = null
    channel?.close()
    channel = null
    letGo?.()
    letGo = null
  }

  function fromTab(message) {
    if (message.ask) {
      if (letGo && live.state) channel.postMessage({ update: live.state, push: live.push })
      return
    }
    heard = performance.now()
    if (message.update) receive(message.update)
    setPush(message.push)
  }

  function listen() {
    source?.close()
    heard = performance.now()
    source = new EventSource(url)
    source.onmessage = ({ data }) => {
      heard = performance.now()
      const update = JSON.parse(data)
      receive(update)
      setPush("live")
      channel?.postMessage({ update, push: "live" })
    }
    source.addEventListener("beat", () => {
      heard = performance.now()
      channel?.postMessage({ push: "live" })
    })
    source.onerror = () => {
      if (live.push === "live") setPush("waiting")
      if (source.readyState === EventSource.CLOSED) blocked()
    }
  }

  function blocked() {
    setPush("blocked")
    channel?.postMessage({ push: "blocked" })
  }

  function watch() {
    const quiet = performance.now() - heard
    if (source && live.push !== "live" && quiet > PATIENCE) blocked()
    if (source && live.push === "blocked" && quiet > 5 * PATIENCE) listen()
    if (!source && quiet > SILENCE) listen()
    tell()
  }

  function setPush(push) {
    if (push === live.push) return
    live.push = push
    tell()
  }

  function receive(update) {
    if (!update) return
    const old = live.state
    if (update.trouble) return // the page itself says what is the matter
    if (update.meeting || !old) {
      if (!update.meeting) return
      if (old && old.epoch === update.epoch && old.seq > update.seq) return
      live.state = { ...update, posts: sorted(update.posts ?? []) }
    } else {
      if (old.epoch !== update.epoch || update.seq <= old.seq) return
      const gone = new Set(update.gone ?? [])
      const posts = new Map(old.posts.filter((post) => !gone.has(post.id)).map((post) => [post.id, post]))
      for (const post of update.posts ?? []) posts.set(post.id, post)
      const figures = new Map((update.figures ?? []).map((figure) => [figure.key, figure]))
      live.state = {
        ...old,
        ...update,
        figures: old.figures.map((figure) => figures.get(figure.key) ?? figure),
        gaps: { ...old.gaps, ...update.gaps },
        posts: sorted([...posts.values()]),
      }
    }
    if (update.now) live.anchor = performance.now()
    tell()
  }

  function tell() {
    for (const listener of listeners) listener()
  }

  return live
}

function sorted(posts) {
  const newer = (a, b) => (a.rank < b.rank ? 1 : a.rank > b.rank ? -1 : b.id - a.id)
  return posts.sort(newer).slice(0, SHOWN)
}

// ---------------------------------------------------------------- words and numbers

const number = new Intl.NumberFormat("en")
const percent = (share) => `${Math.round(share * 100)}%`
const zoned = {}

function time(moment, zone, options) {
  const key = zone + JSON.stringify(options)
  zoned[key] ??= new Intl.DateTimeFormat("en-GB", { timeZone: zone, hourCycle: "h23", ...options })
  return zoned[key].format(moment)
}

const CLOCK = { hour: "2-digit", minute: "2-digit", second: "2-digit" }
const DAY = { weekday: "short", day: "numeric", month: "short" }
const DATE = { day: "numeric", month: "short", year: "numeric" }

function age(ms) {
  const seconds = Math.max(0, Math.round(ms / 1000))
  if (seconds < 90) return `${seconds} s`
  if (seconds < 5400) return `${Math.round(seconds / 60)} min`
  if (seconds < 172800) return `${Math.round(seconds / 3600)} h`
  return `${Math.round(seconds / 86400)} days`
}

function nowOf(live) {
  const { at, speed } = live.state.now
  return Date.parse(at) + (performance.now() - live.anchor) * speed
}

function put(node, text) {
  if (node.textContent !== text) node.textContent = text
}

function make(tag, className, text) {
  const node = document.createElement(tag)
  if (className) node.className = className
  if (text !== undefined) node.textContent = text
  return node
}

// ---------------------------------------------------------------- header, key figures

const PUSH = {
  live: "Live",
  waiting: "Connecting…",
  blocked: "Updates every 2 s",
}
function drawPulse(live, part, component) {
  const { state } = live
  const { meeting, now } = state
  const clock = nowOf(live)
  put(part.title, meeting.title)
  put(part.session, heading(meeting, now.phase, clock))
  put(part.hashtag, meeting.hashtags.map((tag) => `#${tag}`).join(" "))
  put(part.clock, `${time(clock, meeting.timezone, DAY)} ${time(clock, meeting.timezone, CLOCK)}`)
  part.push.dataset.push = live.push
  put(part.push.lastElementChild, PUSH[live.push])
  drawFeeds(part, state, { clock, zone: meeting.timezone, speed: now.speed, phase: now.phase })
  drawReplay(part, now, clock, component)
  drawAlarm(part, state.alarm)
  drawFigures(part.figures, state.figures, clock)
}

function heading(meeting, phase, clock) {
  if (phase === "after") return `Ended ${time(Date.parse(meeting.ends), meeting.timezone, DATE)}`
  if (phase === "before") return `Starts in ${countdown(Date.parse(meeting.starts) - clock)}`
  const under = meeting.sessions.filter((s) => Date.parse(s.starts) <= clock && clock < Date.parse(s.ends))
  if (under.length) return under.map((s) => s.title).join(" · ")
  const next = meeting.sessions.find((s) => Date.parse(s.starts) > clock)
  if (!next) return "Under way"
  const at = Date.parse(next.starts)
  const day = time(at, meeting.timezone, DAY)
  const hour = time(at, meeting.timezone, { hour: "2-digit", minute: "2-digit" })
  return `Between sessions · next: ${next.title}, ${day === time(clock, meeting.timezone, DAY) ? "" : `${day}, `}${hour}`
}

function countdown(ms) {
  const seconds = Math.max(0, Math.floor(ms / 1000))
  const days = Math.floor(seconds / 86400)
  const clock = [Math.floor(seconds / 3600) % 24, Math.floor(seconds / 60) % 60, seconds % 60]
  const text = clock.map((value) => String(value).padStart(2, "0")).join(":")
  return days ? `${days} day${days > 1 ? "s" : ""} ${text}` : text
}

function drawReplay(part, now, clock, component) {
  part.replay.hidden = !now.replay
  if (!now.replay) return
  for (const button of [part.slower, part.faster, part.pause]) button.hidden = component.data.fixed
  const starts = Date.parse(now.replay.starts)
  const ends = Date.parse(now.replay.ends)
  const done = Math.min(1, Math.max(0, (clock - starts) / (ends - starts || 1)))
  part.bar.style.width = `${(done * 100).toFixed(1)}%`
  put(part.speed, `×${number.format(now.replay.speed)}`)
  put(part.pause, now.replay.paused ? "Resume" : "Pause")
  put(part.played, now.replay.stopped ? "Replay, stopped" : now.replay.paused ? "Replay, paused" : "Replay")
  part.pause.onclick = () => component.setTriggerValue("control", { paused: !now.replay.paused })
  part.slower.onclick = () => component.setTriggerValue("control", { speed: now.replay.speed / 2 })
  part.faster.onclick = () => component.setTriggerValue("control", { speed: now.replay.speed * 2 })
}

function drawFigures(section, figures, clock) {
  figures.forEach((figure, at) => {
    let card = section.children[at]
    if (!card) {
      card = make("article")
      card.append(make("h2"), make("p", "value"), make("p", "sub"))
      section.append(card)
    }
    const [label, value, sub] = card.children
    card.dataset.figure = figure.key
    put(label, figure.label)
    if (figure.key === "mood") drawMood(value, figure)
    else put(value, figure.value === null ? "–" : number.format(figure.value) + (figure.of ? ` of ${figure.of}` : ""))
    put(sub, figure.since ? `${figure.sub} ${age(clock - Date.parse(figure.since))}` : figure.sub)
  })
}

function drawMood(value, figure) {
  if (!value.children.length) value.append(make("span", "positive"), " ", make("span", "negative"))
  const [positive, negative] = value.children
  const known = figure.n > 0
  value.dataset.known = String(known)
  put(positive, known ? `▲ ${percent(figure.positive)}` : "–")
  put(negative, known ? `▼ ${percent(figure.negative)}` : "")
}

// What is said of stream, sound and room: organisers can do something about it now.
function drawAlarm(part, alarm) {
  const box = part.alarm
  box.hidden = !alarm
  const print = JSON.stringify(alarm)
  if (!alarm || box.print === print) return
  box.print = print
  box.classList.toggle("loud", alarm.loud)
  const posts = `${number.format(alarm.posts)} post${alarm.posts === 1 ? "" : "s"}`
  const count = link(part, "count", `${alarm.loud ? "▲ " : ""}${posts} about stream, sound or room in ${alarm.minutes} min`, { logistics: "1" })
  box.replaceChildren(count, ...alarm.newest.map((post) => quoted(part, post)))
}

function quoted(part, post) {
  const node = link(part, "quoted", null, { post: post.key })
  const text = make("bdi", "", post.text)
  text.dir = "auto"
  node.append(make("bdi", "who", post.author), " ", text)
  return node
}

// A way into the archive: an address that can be opened in another tab, or followed without loading anew.
function link(part, className, text, query) {
  const node = make("a", className, text ?? "")
  node.href = `?${new URLSearchParams({ page: "archive", ...query })}`
  node.onclick = (event) => {
    if (event.ctrlKey || event.metaKey || event.shiftKey) return
    event.preventDefault()
    part.go(query)
  }
  return node
}

// ---------------------------------------------------------------- feed health

const STATES = {
  imported: "■",
  ended: "■",
  listening: "●",
  catching_up: "◐",
  waiting: "○",
  deaf: "▲",
  stopped: "■",
  unstarted: "□",
}
const WORDS = { catching_up: "catching up", unstarted: "not started yet" }
const QUIET = 300000 // ms without a post after which its age is worth a word
const SLOW = 10 // meeting seconds a second, of a replay in which ages can still be read

// One line per source, the same element for as long as the page stands: focus stays where it is.
// `at` is the moment: clock, zone, speed and phase.
function drawFeeds(part, state, at) {
  const items = new Map([...part.feeds.children].map((item) => [item.dataset.feed, item]))
  const drawn = state.feeds.map((feed) => drawFeed(items.get(feed.name) ?? newFeed(part, feed.name), feed, at))
  if (state.tagger) drawn.push(drawTagger(part.feeds.querySelector(".tagger") ?? newFeed(part), state.tagger))
  for (const item of part.feeds.children) if (!drawn.includes(item)) item.remove()
  drawn.forEach((item, place) => {
    if (part.feeds.children[place] !== item) part.feeds.insertBefore(item, part.feeds.children[place] ?? null)
  })
  const open = state.feeds.find((feed) => feed.name === part.open)
  if (open) drawPanel(part, open, state.gaps[open.name] ?? [], at)
  else closePanel(part)
}

function newFeed(part, name) {
  const item = make("li", name === undefined ? "tagger" : "")
  const line = make(name === undefined ? "p" : "button", "feed")
  line.append(make("i"), make("b"), " ", make("span", "word"), " ", make("span", "note"), " ", make("span", "gaps"), " ", make("span", "missing"))
  line.firstElementChild.ariaHidden = "true"
  item.append(line)
  if (name === undefined) return item
  item.dataset.feed = name
  line.type = "button"
  line.ariaExpanded = "false"
  line.onclick = () => {
    const opens = part.open !== name
    closePanel(part)
    if (opens) openPanel(part, name, item)
    part.draw()
  }
  return item
}

function drawFeed(item, feed, at) {
  fillFeed(item, feed.state, feed.name, saidOf(feed, at), feed.note, feed.gaps.said, feed.gaps.missing)
  item.dataset.bad = String(feed.gaps.bad)
  return item
}

function drawTagger(item, tagger) {
  fillFeed(item, tagger.state, "tagging", "", tagger.note, "", "")
  return item
}

function fillFeed(item, state, ...texts) {
  const [glyph, ...spans] = item.firstElementChild.children
  item.dataset.state = state
  put(glyph, STATES[state] ?? "○")
  texts.forEach((text, place) => put(spans[place], text))
}

// What a source does, and the one time that matters most: a quiet source is listening, a deaf one is not.
function saidOf(feed, at) {
  const word = WORDS[feed.state] ?? feed.state
  if (feed.state === "unstarted" && at.phase === "after") return "never started"
  if (feed.state === "listening") return [word, quiet(feed, at)].filter(Boolean).join(" · ")
  if (feed.state === "waiting" && feed.until) return `${word} until ${moment(feed.until, at)}`
  if (timed(feed)) return `${word} since ${moment(feed.since, at)}`
  return word
}

function quiet(feed, at) {
  if (at.speed > SLOW || at.phase !== "during") return ""
  if (!feed.post) return "no posts yet"
  const ms = at.clock - Date.parse(feed.post)
  return ms < QUIET ? "" : `last post ${age(ms)} ago`
}

// A time of the meeting's clock, with its day where that is not today.
function moment(text, { clock, zone }) {
  const day = { day: "numeric", month: "short" }
  const ms = Date.parse(text)
  const date = time(ms, zone, day)
  return `${date === time(clock, zone, day) ? "" : `${date} `}${time(ms, zone, CLOCK)}`
}

// The panel of one source stands in its list item, so that Tab goes from the button into it.
function openPanel(part, name, item) {
  const panel = make("section", "panel")
  panel.id = "feed-panel"
  panel.ariaLabel = `${name}, details`
  const close = make("button", "close", "×")
  close.type = "button"
  close.ariaLabel = "Close"
  const head = make("header")
  head.append(make("h3"), close)
  const gaps = make("ol")
  gaps.tabIndex = 0
  gaps.ariaLabel = "Gaps, newest first"
  panel.append(head, make("p", "word"), make("p", "reason"), make("dl"), make("h4"), gaps, make("p", "more-gaps"))
  item.append(panel)
  const button = item.firstElementChild
  button.ariaExpanded = "true"
  button.setAttribute("aria-controls", panel.id)
  const shut = () => {
    closePanel(part)
    button.focus()
  }
  close.onclick = shut
  const onKey = (event) => event.key === "Escape" && shut()
  const onPress = (event) => event.composedPath().includes(item) || closePanel(part)
  document.addEventListener("keydown", onKey)
  document.addEventListener("pointerdown", onPress)
  part.open = name
  part.panel = panel
  part.shut = () => {
    document.removeEventListener("keydown", onKey)
    document.removeEventListener("pointerdown", onPress)
    button.ariaExpanded = "false"
    button.removeAttribute("aria-controls")
    panel.remove()
  }
}

function closePanel(part) {
  part.shut?.()
  part.open = part.panel = part.shut = null
}

function drawPanel(part, feed, gaps, at) {
  const { panel } = part
  const [head, word, reason, facts, heading, list, more] = panel.children
  panel.dataset.state = feed.state
  put(head.firstElementChild, feed.source && feed.source !== feed.name ? `${feed.name} (${feed.source})` : feed.name)
  put(word, [`${STATES[feed.state] ?? "○"} ${saidOf(feed, at)}`, timed(feed) && !feed.until && lasted(feed.since, at)].filter(Boolean).join(", "))
  put(reason, feed.note)
  drawFacts(facts, factsOf(feed, at))
  put(heading, gaps.length ? [feed.gaps.said || "Gaps", feed.gaps.missing].filter(Boolean).join(" · ") : "No gaps")
  const print = JSON.stringify([gaps, feed.note, time(at.clock, at.zone, DATE)])
  if (list.print !== print) {
    list.print = print
    list.replaceChildren(...gaps.map((gap) => gapItem(gap, feed.note, at)))
  }
  list.hidden = !gaps.length
  more.hidden = feed.gaps.total <= gaps.length
  put(more, more.hidden ? "" : `The newest ${gaps.length} of ${number.format(feed.gaps.total)}.`)
  placePanel(panel)
}

// Whether its line says since when, or until when, it does what it does.
function timed(feed) {
  return ["waiting", "deaf", "stopped"].includes(feed.state) && Boolean(feed.since)
}

// How long ago, in a time that runs slowly enough to be read.
function lasted(text, at) {
  return at.speed > SLOW ? "" : `${age(at.clock - Date.parse(text))} ago`
}

function factsOf(feed, at) {
  const ago = (text) => [moment(text, at), lasted(text, at)].filter(Boolean).join(", ")
  const facts = []
  if (feed.since && (!timed(feed) || feed.until)) facts.push(["Since", ago(feed.since)])
  if (feed.heard) facts.push(["Last sign of life", ago(feed.heard)])
  facts.push(["Last post", feed.post ? ago(feed.post) : "none yet"])
  if (feed.lag !== null && feed.lag >= 0) facts.push(["It arrived", `${age(feed.lag * 1000)} after it was written`])
  return facts
}

function drawFacts(list, facts) {
  while (list.children.length > 2 * facts.length) list.lastElementChild.remove()
  while (list.children.length < 2 * facts.length) list.append(make("dt"), make("dd"))
  facts.flat().forEach((text, place) => put(list.children[place], text))
}

function gapItem(gap, note, at) {
  const item = make("li")
  item.dataset.bad = String(gap.bad)
  const ends = gap.to ? Date.parse(gap.to) : 0
  const when = make("span", "span", `${moment(gap.from, at)} – ${gap.to ? moment(gap.to, at) : "now"}`)
  item.append(when, " ", make("span", "length", ends ? age(ends - Date.parse(gap.from)) : ""))
  // The panel has said above why it is deaf now.
  item.append(" ", make("span", "cause", gap.to || gap.cause !== note ? gap.cause : ""), " ", make("span", "fate", gap.fate))
  return item
}

// Below its line, and within the strip.
function placePanel(panel) {
  const line = panel.parentElement.firstElementChild
  const strip = panel.offsetParent
  if (!strip) return
  const left = Math.max(0, Math.min(line.offsetLeft, strip.clientWidth - panel.offsetWidth))
  panel.style.left = `${left}px`
  panel.style.top = `${line.offsetTop + line.offsetHeight + 4}px`
}

// ---------------------------------------------------------------- topics, names, accounts

const FOUND = {
  topics: { none: "Nothing rises above the rest of the meeting.", row: topicRow },
  names: { none: "Nobody and nothing by name.", row: nameRow },
  active: { none: "Nobody yet.", row: activeRow },
}

function drawHeard(live, part) {
  const { heard, now, posts } = live.state
  part.root.hidden = !heard || !posts.length
  if (!heard) return
  part.root.classList.toggle("opened", heard.topics.some((topic) => topic.term === part.open))
  for (const [name, { none, row }] of Object.entries(FOUND)) {
    const [, said, list] = part[name].children
    part[name].hidden = name === "topics" && now.phase === "after"
    if (name === "names") put(part.names.firstElementChild.lastElementChild, now.phase === "after" ? "authors" : "authors, last hour")
    const print = JSON.stringify([heard[name], part.open])
    if (list.print === print) continue
    list.print = print
    const focused = list.getRootNode().activeElement
    const at = [...list.querySelectorAll("button")].indexOf(focused)
    said.textContent = heard[name].length ? "" : none
    list.replaceChildren(...heard[name].map((one) => row(part, one, live.state.meeting)))
    if (at >= 0) list.querySelectorAll("button")[at]?.focus()
  }
}

function topicRow(part, topic, meeting) {
  const item = make("li")
  const open = part.open === topic.term
  const line = make("button", "line")
  line.type = "button"
  line.ariaExpanded = String(open)
  const term = make("bdi", "term", topic.term)
  term.dir = "auto"
  line.append(term, make("span", "muted", number.format(topic.posts)))
  line.onclick = () => {
    part.open = open ? null : topic.term
    part.draw()
  }
  item.append(line)
  if (!open) return item
  const earlier = topic.earlier ? `${number.format(topic.earlier)} before that` : "none before"
  item.append(make("p", "about", `${number.format(topic.posts)} posts by ${number.format(topic.authors)} authors of late, ${earlier}`))
  const examples = make("ul", "examples")
  for (const post of topic.examples) {
    const example = make("li")
    const at = time(Date.parse(post.at), meeting.timezone, { hour: "2-digit", minute: "2-digit" })
    const node = quoted(part, post)
    node.append(" ", make("time", "muted", at))
    example.append(node)
    examples.append(example)
  }
  item.append(examples, link(part, "all", "Search the archive for it", { q: `"${topic.term.replaceAll('"', " ")}"` }))
  return item
}

function nameRow(part, name) {
  const item = make("li")
  const line = link(part, "line", null, { q: `"${name.name.replaceAll('"', " ")}"` })
  line.append(make("bdi", "term", name.name), make("span", "muted", number.format(name.authors)))
  line.title = `${name.kind === "other" ? "" : `${name.kind}, `}in ${number.format(name.posts)} posts by ${number.format(name.authors)} authors`
  item.append(line)
  return item
}

function activeRow(part, one) {
  const item = make("li")
  const from = one.handle ?? `"${one.name.replaceAll('"', " ")}"`
  const line = link(part, "line", null, { q: `from:${from}` })
  line.append(make("bdi", "term", one.name), make("span", "muted", one.source), make("span", "muted", number.format(one.posts)))
  item.append(line)
  return item
}

// ---------------------------------------------------------------- newest posts

const GLYPHS = { positive: "▲", neutral: "●", negative: "▼", not_sure: "?" }
const MOODS = { positive: "positive", neutral: "neutral", negative: "negative", not_sure: "not sure" }

function drawPosts(live, part, component) {
  const { state } = live
  const held = part.hold.getAttribute("aria-pressed") === "true" || part.posts.scrollTop > 60
  const shown = new Map([...part.posts.children].map((item) => [Number(item.dataset.post), item]))
  const fresh = state.posts.filter((post) => !shown.has(post.id)).length
  part.hold.onclick = () => {
    const on = part.hold.getAttribute("aria-pressed") !== "true"
    part.hold.setAttribute("aria-pressed", String(on))
    put(part.hold, on ? "Held" : "Hold")
    if (!on) part.posts.scrollTop = 0
    part.draw()
  }
  part.more.onclick = () => {
    part.posts.scrollTop = 0
    if (part.hold.getAttribute("aria-pressed") === "true") part.hold.click()
    else part.draw()
  }
  part.more.hidden = !(held && fresh && shown.size)
  if (!part.more.hidden) put(part.more, `↑ ${fresh} new post${fresh > 1 ? "s" : ""}`)
  const visible = held && shown.size ? state.posts.filter((post) => shown.has(post.id)) : state.posts
  const animate = shown.size > 0
  const kept = new Set(visible.map((post) => post.id))
  for (const [id, item] of shown) if (!kept.has(id)) item.remove()
  visible.forEach((post, at) => {
    let item = shown.get(post.id)
    if (!item) {
      item = newItem(post.id)
      if (animate) item.classList.add("new")
    }
    fill(item, post, state.meeting, part)
    if (part.posts.children[at] !== item) part.posts.insertBefore(item, part.posts.children[at] ?? null)
  })
  part.empty.hidden = visible.length > 0
  part.posts.hidden = part.hold.hidden = !visible.length
  if (!visible.length) put(part.empty, state.empty)
  announce(part, held ? 0 : animate ? fresh : 0)
}

function newItem(id) {
  const item = make("li")
  item.dataset.post = String(id)
  const head = make("p", "by")
  head.append(make("bdi", "author"), make("span", "what"), make("time"))
  const text = make("p", "text")
  text.dir = "auto"
  item.append(head, text, make("p", "tags"))
  return item
}

function fill(item, post, meeting, part) {
  const { theme } = part
  const print = JSON.stringify(post) + theme
  if (item.print === print) return
  item.print = print
  const [head, text, tags] = item.children
  const [author, what, when] = head.children
  const themes = post.themes.map((slug) => meeting.themes.find((one) => one.slug === slug)).filter(Boolean)
  item.style.setProperty("--theme", themes.length ? themes[0].colours[theme] : "var(--none)")
  put(author, post.author)
  put(what, [post.kind === "repost" ? "reposted" : post.kind === "reply" ? "replied" : "", post.source].filter(Boolean).join(" · "))
  const day = time(Date.parse(post.at), meeting.timezone, { day: "numeric", month: "short" })
  put(when, `${meeting.days > 1 ? `${day} ` : ""}${time(Date.parse(post.at), meeting.timezone, CLOCK)}`)
  when.dateTime = post.at
  put(text, post.text)
  const focused = item.contains(item.getRootNode().activeElement)
  const details = link(part, "details", "Details", { post: post.key })
  details.ariaLabel = `Open the post of ${post.author}`
  tags.replaceChildren(...chips(post, themes, theme), details)
  if (focused) details.focus({ preventScroll: true })
}

function chips(post, themes, theme) {
  const list = []
  if (!post.tagged) return [make("span", "chip quiet", "not tagged yet")]
  for (const one of themes) {
    const chip = make("span", "chip theme", one.title)
    chip.style.setProperty("--theme", one.colours[theme])
    list.push(chip)
  }
  if (post.sentiment) {
    const mood = make("span", `chip mood ${post.sentiment}`)
    mood.append(make("i", "", GLYPHS[post.sentiment]), MOODS[post.sentiment])
    list.push(mood)
  }
  if (post.question) list.push(make("span", "chip question", post.to_chair ? "question to the chair" : "question"))
  if (post.asked) list.push(make("span", "chip", post.asked))
  if (post.logistics) list.push(make("span", "chip logistics", "stream, sound, room"))
  if (post.language) list.push(make("span", "chip quiet", post.language))
  return list
}

function announce(part, fresh) {
  part.unsaid = (part.unsaid ?? 0) + fresh
  const now = performance.now()
  if (!part.unsaid || now - (part.saidAt ?? -Infinity) < 30000) return
  part.saidAt = now
  put(part.said, `${part.unsaid} new posts`)
  part.unsaid = 0
}

// ---------------------------------------------------------------- what Streamlit calls

const DRAW = { pulse: drawPulse, heard: drawHeard, posts: drawPosts }
const parts = new WeakMap()

export default function (component) {
  const { data, parentElement } = component
  const live = (globalThis[SHARED] ??= openLive(data.url, data.name))
  if (data.live) live.receive(data.live)
  let part = parts.get(parentElement)
  if (!part) {
    part = {}
    for (const node of parentElement.querySelectorAll("[data-id]")) part[node.dataset.id] = node
    parts.set(parentElement, part)
  }
  const host = parentElement.host ?? parentElement
  part.theme = isDark(getComputedStyle(host).getPropertyValue("--st-background-color")) ? 1 : 0
  part.root = parentElement.querySelector(".pulse, .heard, .stream")
  part.go = (query) => component.setTriggerValue("go", query)
  part.root.dataset.theme = part.theme ? "dark" : "light"
  part.draw = () => {
    if (live.state) DRAW[data.part](live, part, component)
    if (data.part === "pulse") report(live, part, component)
  }
  part.leave?.()
  part.leave = live.subscribe(part.draw)
  part.draw()
  return () => part.leave()
}

// Streamlit polls for this tab as long as push is blocked.
function report(live, part, component) {
  const polling = live.push === "blocked"
  if (polling === (part.polling ?? false)) return
  part.polling = polling
  component.setStateValue("polling", polling)
}

function isDark(colour) {
  const probe = make("i")
  probe.style.color = colour.trim()
  const hex = /^#([0-9a-f]{6})/i.exec(probe.style.color) ?? /^#([0-9a-f]{6})/i.exec(colour.trim())
  const rgb = hex
    ? [0, 2, 4].map((at) => parseInt(hex[1].slice(at, at + 2), 16))
    : (probe.style.color.match(/[\d.]+/g) ?? [255, 255, 255]).slice(0, 3).map(Number)
  return 0.299 * rgb[0] + 0.587 * rgb[1] + 0.114 * rgb[2] < 128
}
