// License LGPL-3.0 or later (https://www.gnu.org/licenses/lgpl).
import {Component, onWillStart, useState} from "@odoo/owl";
import {browser} from "@web/core/browser/browser";
import {_t} from "@web/core/l10n/translation";
import {registry} from "@web/core/registry";
import {user} from "@web/core/user";
import {useService} from "@web/core/utils/hooks";
import {Layout} from "@web/search/layout";
import {standardActionServiceProps} from "@web/webclient/actions/action_service";
import {exampleOf, rowsOf, typeOf} from "./schema_tools";

const ADMINISTRATOR = "healthcare_integration_base.group_administrator";
const ORDER = ["path", "query", "header"];

/** The interface for people: what partners can call, with examples. */
export class IntegrationApiPage extends Component {
  static template = "healthcare_integration_base.ApiPage";
  static components = {Layout};
  static props = {...standardActionServiceProps};

  setup() {
    this.orm = useService("orm");
    this.action = useService("action");
    this.notification = useService("notification");
    this.state = useState({search: "", current: null, body: null});
    onWillStart(async () => {
      [this.document, this.isAdministrator] = await Promise.all([
        this.orm.call("integration.api", "describe", []),
        user.hasGroup(ADMINISTRATOR),
      ]);
      this.entries = [...this.routes(), ...this.webhooks()];
      this.show(this.entries.find((one) => one.tag === "Resources") || this.entries[0]);
    });
  }

  routes() {
    return Object.entries(this.document.paths).flatMap(([path, item]) =>
      Object.entries(item).map(([method, operation]) =>
        this.entry(method.toUpperCase(), path, operation)
      )
    );
  }

  webhooks() {
    return Object.entries(this.document.webhooks || {}).map(([type, item]) =>
      this.entry("EVENT", type, item.post)
    );
  }

  entry(method, path, operation) {
    return {
      key: `${method} ${path}`,
      method,
      path,
      operation,
      tag: operation.tags[0],
      words: [method, path, operation.summary, operation["x-scope"], operation.tags[0]]
        .join(" ")
        .toLowerCase(),
    };
  }

  /** The entries that fit the search, by tag, in the order of the document. */
  get groups() {
    const words = this.state.search.toLowerCase().split(/\s+/).filter(Boolean);
    const fits = (entry) => words.every((word) => entry.words.includes(word));
    return this.document.tags
      .map((tag) => ({
        ...tag,
        entries: this.entries.filter((one) => one.tag === tag.name && fits(one)),
      }))
      .filter((group) => group.entries.length);
  }

  show(entry) {
    const content = entry?.operation.requestBody?.content || {};
    this.state.current = entry;
    this.state.body = Object.keys(content)[0] || null;
  }

  get server() {
    return this.document.servers[0].url;
  }

  get parameters() {
    const found = this.state.current.operation.parameters || [];
    return [...found]
      .map((one) => ({...one, type: typeOf(this.document, one.schema)}))
      .sort((a, b) => ORDER.indexOf(a.in) - ORDER.indexOf(b.in));
  }

  get texts() {
    return (this.state.current.operation.description || "")
      .split("\n\n")
      .filter((text) => text && !text.startsWith("Scope:"));
  }

  get mediaTypes() {
    return Object.keys(this.state.current.operation.requestBody?.content || {});
  }

  get bodySchema() {
    const content = this.state.current.operation.requestBody?.content || {};
    return (content[this.state.body] || {}).schema;
  }

  get bodyRows() {
    return this.bodySchema ? rowsOf(this.document, this.bodySchema) : [];
  }

  get bodyExample() {
    return this.pretty(this.bodySchema);
  }

  get answers() {
    return Object.entries(this.state.current.operation.responses).map(
      ([status, response]) => ({status, ...this.answer(response)})
    );
  }

  answer(response) {
    const name = (response.$ref || "").split("/").pop();
    const found = name ? this.document.components.responses[name] : response;
    const [mediaType, content] = Object.entries(found.content || {})[0] || [];
    return {
      text: found.description,
      mediaType,
      schema: content?.schema,
      headers: Object.keys(found.headers || {}),
      good: !name,
    };
  }

  get goodAnswer() {
    return this.answers.find((one) => one.good && one.schema);
  }

  get answerRows() {
    return rowsOf(this.document, this.goodAnswer.schema);
  }

  pretty(schema) {
    return schema ? JSON.stringify(exampleOf(this.document, schema), null, 2) : "";
  }

  /** A call to copy, with what it needs and nothing else. */
  get curl() {
    const {method, path, operation} = this.state.current;
    const lines = [`curl -i "${this.server}${path.replace(/\{(\w+)\}/g, "$${$1}")}"`];
    if (operation["x-scope"]) {
      lines.push('-H "Authorization: Bearer $KEY"');
    }
    if (this.state.body) {
      lines.push(`-H "Content-Type: ${this.state.body}"`, "--data-binary @body.json");
    } else if (method !== "GET") {
      lines.push(`-X ${method}`);
    }
    return lines.join(" \\\n  ");
  }

  async copy(text) {
    await browser.navigator.clipboard.writeText(text);
    this.notification.add(_t("Copied."), {type: "success"});
  }

  async download(kind) {
    const document =
      kind === "openapi"
        ? this.document
        : await this.orm.call("integration.api", "describe_events", []);
    const blob = new Blob([JSON.stringify(document, null, 2)], {
      type: "application/json",
    });
    const link = window.document.createElement("a");
    link.href = URL.createObjectURL(blob);
    link.download = `${kind}.json`;
    link.click();
    URL.revokeObjectURL(link.href);
  }

  openSettings() {
    this.action.doAction("healthcare_integration_base.integration_api_resource_action");
  }
}

registry.category("actions").add("healthcare_integration.api", IntegrationApiPage);
