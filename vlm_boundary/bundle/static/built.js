// Elements of the HTML that the demo wrote. It is parsed in a document of its own, where nothing
// runs and nothing loads, and only elements and attributes that are known come over to the page.

const ELEMENTS = new Set((
  "b blockquote br button circle code details div em figcaption figure g h1 h2 h3 h4 h5 h6 header hr i img kbd " +
  "li line mark ol p path polyline pre rect section span strong summary svg table tbody td text th thead title tr ul"
).split(" "));
const ATTRIBUTES = new Set((
  "alt class cx cy d data-do data-roving data-side data-testid data-value fill height hidden points r role rx stroke tabindex " +
  "text-anchor title viewBox width x x1 x2 y y1 y2 colspan"
).split(" "));
const PICTURE = /^data:image\/(?:png|webp|svg\+xml);base64,[A-Za-z0-9+/=]*$/;
const STYLE = /^(width|text-align): ?([0-9.]+%|left|right|center);?$/;

function attribute(from, to, name, value) {
  if (ATTRIBUTES.has(name) || name.startsWith("aria-")) return to.setAttribute(name, value);
  if (name === "src" && to.localName === "img" && PICTURE.test(value)) return to.setAttribute(name, value);
  const style = name === "style" && STYLE.exec(value);
  if (style) return to.style.setProperty(style[1], style[2]);
  console.error(`left out: ${from.localName} ${name}`);
}

function copy(node) {
  if (node.nodeType === Node.TEXT_NODE) return document.createTextNode(node.data);
  if (node.nodeType !== Node.ELEMENT_NODE) return "";
  if (!ELEMENTS.has(node.localName)) {
    console.error(`left out: ${node.localName}`);
    return document.createTextNode(node.textContent);
  }
  const made = document.createElementNS(node.namespaceURI, node.localName);
  for (const { name, value } of node.attributes) attribute(node, made, name, value);
  for (const child of node.childNodes) made.append(copy(child));
  return made;
}

export function built(html) {
  const found = new DOMParser().parseFromString(html, "text/html");
  const made = document.createDocumentFragment();
  for (const node of found.body.childNodes) made.append(copy(node));
  return made;
}

// An element of our own; what is a string among its content is text.
export function make(tag, attributes = {}, ...content) {
  const made = document.createElement(tag);
  for (const [name, value] of Object.entries(attributes)) if (value !== null && value !== false) made.setAttribute(name, value === true ? "" : value);
  made.append(...content);
  return made;
}
export function button(label, what, value, { key = "", on = null, ...more } = {}) {
  const pressed = on === null ? {} : { "aria-pressed": String(on) };
  return make("button", { class: "vb-button", "data-do": what, "data-value": value, ...pressed, ...more },
    label, ...(key ? [" ", make("kbd", {}, key)] : []));
}
