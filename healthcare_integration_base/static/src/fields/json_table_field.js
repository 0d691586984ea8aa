// License LGPL-3.0 or later (https://www.gnu.org/licenses/lgpl).
import {Component} from "@odoo/owl";
import {_t} from "@web/core/l10n/translation";
import {registry} from "@web/core/registry";
import {standardFieldProps} from "@web/views/fields/standard_field_props";

/**
 * A JSON value as a table: an object as name and value, a list of objects as one row each.
 * Read-only; shows text only, never HTML.
 */
export class IntegrationJsonTableField extends Component {
  static template = "healthcare_integration_base.JsonTableField";
  static props = {...standardFieldProps};

  get value() {
    return this.props.record.data[this.props.name] || null;
  }

  get isList() {
    return Array.isArray(this.value);
  }

  /** Names of the columns of a list of objects, in order of appearance. */
  get columns() {
    return [...new Set(this.value.flatMap((row) => Object.keys(row)))];
  }

  get pairs() {
    return Object.entries(this.value);
  }

  text(value) {
    return typeof value === "object" ? JSON.stringify(value) : String(value);
  }
}

registry.category("fields").add("integration_json_table", {
  component: IntegrationJsonTableField,
  displayName: _t("JSON table"),
  supportedTypes: ["json"],
});
