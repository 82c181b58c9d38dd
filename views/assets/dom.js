// What the pages' scripts share; it stands before each of them. make() knows no HTML: text of others
// reaches the page through textContent only.

const number = new Intl.NumberFormat("en")
const GLYPHS = { positive: "▲", neutral: "●", negative: "▼", not_sure: "?", untagged: "–" }

function make(name, className = "", text = null) {
  const node = document.createElement(name)
  if (className) node.className = className
  if (text !== null) node.textContent = text
  return node
}

function button(className, text, onclick, label = "") {
  const node = make("button", className, text)
  node.type = "button"
  node.onclick = onclick
  if (label) node.setAttribute("aria-label", label)
  return node
}

// A text of somebody else: isolated, so that its direction does not turn the rest of the line.
function outside(className, text) {
  const node = make("bdi", className, text)
  node.dir = "auto"
  return node
}

function counted(count, what) {
  return `${number.format(count)} ${what}${count === 1 ? "" : "s"}`
}

// Who corrects: a name that this tab remembers, until there is a sign-in.
const BY = "backchannel-by"

function remembered() {
  try {
    return sessionStorage.getItem(BY) ?? ""
  } catch {
    return globalThis[Symbol.for(BY)] ?? ""
  }
}

function remember(name) {
  try {
    sessionStorage.setItem(BY, name)
  } catch {
    globalThis[Symbol.for(BY)] = name
  }
}

function nameField(label) {
  const field = make("label", "field by-name")
  const input = make("input")
  input.name = "by"
  input.required = true
  input.maxLength = 80
  input.autocomplete = "name"
  input.value = remembered()
  field.append(make("span", "", label), input)
  return field
}

function isDark(colour) {
  const hex = /^#([0-9a-f]{6})/i.exec(colour.trim())
  const rgb = hex
    ? [0, 2, 4].map((at) => parseInt(hex[1].slice(at, at + 2), 16))
    : (colour.match(/[\d.]+/g) ?? [255, 255, 255]).slice(0, 3).map(Number)
  return 0.299 * rgb[0] + 0.587 * rgb[1] + 0.114 * rgb[2] < 128
}
