// License LGPL-3.0 or later (https://www.gnu.org/licenses/lgpl).
// What people want to see of a JSON Schema: its fields as rows, and an example.

const MAX_DEPTH = 6;
const MAX_ROWS = 150;

/** Return the schema behind a reference, and its name. */
export function resolve(root, schema) {
  let name = "";
  let place = schema || {};
  for (let step = 0; place.$ref && step < 20; step++) {
    const parts = place.$ref.replace(/^#\//, "").split("/");
    name = parts[parts.length - 1];
    place = parts.reduce((inner, part) => (inner || {})[part], root) || {};
  }
  return {name, schema: place};
}

/** Return one object schema for allOf, and the first choice of anyOf and oneOf. */
function merged(root, schema) {
  const found = resolve(root, schema).schema;
  const parts = found.allOf || [];
  if (found.anyOf || found.oneOf) {
    return merged(root, (found.anyOf || found.oneOf)[0]);
  }
  return parts.reduce(
    (all, part) => {
      const inner = merged(root, part);
      return {
        ...inner,
        ...all,
        // what is said later is more exact: the type and the data of an event
        properties: {...(all.properties || {}), ...(inner.properties || {})},
        required: [...(inner.required || []), ...(all.required || [])],
      };
    },
    parts.length ? {...found, allOf: undefined, type: found.type || "object"} : found
  );
}

/** Return in words what values a schema takes. */
export function typeOf(root, schema) {
  const {schema: found} = resolve(root, schema);
  if (found.const !== undefined) {
    return JSON.stringify(found.const);
  }
  if (found.enum) {
    return found.enum.map((value) => JSON.stringify(value)).join(" | ");
  }
  if (found.anyOf || found.oneOf) {
    return "one of several";
  }
  const types = [].concat(
    found.type || (found.properties || found.allOf ? "object" : "any")
  );
  if (types.includes("array")) {
    return `list of ${typeOf(root, found.items || {})}`;
  }
  return types.join(" or ") + (found.format ? ` (${found.format})` : "");
}

/** Return the fields of a schema as rows {path, depth, type, required, text}. */
export function rowsOf(root, schema) {
  const rows = [];
  const walk = (place, path, depth) => {
    const {schema: found} = resolve(root, place);
    const inner = found.items ? merged(root, found.items) : merged(root, place);
    const required = new Set(inner.required || []);
    for (const [name, property] of Object.entries(inner.properties || {})) {
      if (rows.length >= MAX_ROWS) {
        return;
      }
      rows.push({
        path: `${path}${name}`,
        name,
        depth,
        type: typeOf(root, property),
        required: required.has(name),
        text: property.description || resolve(root, property).schema.description || "",
      });
      if (depth < MAX_DEPTH) {
        walk(property, `${path}${name}.`, depth + 1);
      }
    }
  };
  walk(schema, "", 0);
  return rows;
}

const TEXTS = {
  "date-time": "2026-11-20T10:00:00Z",
  date: "2026-11-20",
  uuid: "01934a5c-7c1e-7b6a-9d53-0d7f0c2f5c11",
};

/** Return an example of what fits a schema. */
export function exampleOf(root, schema, depth = 0) {
  const found = merged(root, schema);
  if (found.examples && found.examples.length) {
    return found.examples[0];
  }
  if (found.const !== undefined) {
    return found.const;
  }
  if (found.enum) {
    return found.enum[0];
  }
  const type = [].concat(found.type || (found.properties ? "object" : "string"))[0];
  if (type === "object") {
    const entries = depth > MAX_DEPTH ? [] : Object.entries(found.properties || {});
    return Object.fromEntries(
      entries.map(([name, inner]) => [name, exampleOf(root, inner, depth + 1)])
    );
  }
  if (type === "array") {
    return depth > MAX_DEPTH ? [] : [exampleOf(root, found.items || {}, depth + 1)];
  }
  if (type === "integer" || type === "number") {
    return found.minimum || found.default || 1;
  }
  if (type === "boolean") {
    return true;
  }
  if (type === "null") {
    return null;
  }
  if ((found.pattern || "").includes("[0-9]")) {
    return patternExample(found.pattern);
  }
  return TEXTS[found.format] || "text";
}

function patternExample(pattern) {
  const digits = /^\^\[0-9\]\{(\d+)\}\$$/.exec(pattern);
  return digits ? "0".repeat(Number(digits[1])) : "12.50";
}
