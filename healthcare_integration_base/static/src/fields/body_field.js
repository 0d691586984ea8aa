// License LGPL-3.0 or later (https://www.gnu.org/licenses/lgpl).
import {Component} from "@odoo/owl";
import {_t} from "@web/core/l10n/translation";
import {registry} from "@web/core/registry";
import {standardFieldProps} from "@web/views/fields/standard_field_props";

/** Give JSON line breaks; anything else is shown as it is. */
export function prettyBody(text) {
  try {
    return JSON.stringify(JSON.parse(text), null, 2);
  } catch {
    return text;
  }
}

/** A body to read: JSON with line breaks, other text as it is. */
export class IntegrationBodyField extends Component {
  static template = "healthcare_integration_base.BodyField";
  static props = {...standardFieldProps};

  get text() {
    return prettyBody(this.props.record.data[this.props.name] || "");
  }
}

registry.category("fields").add("integration_body", {
  component: IntegrationBodyField,
  displayName: _t("Message body"),
  supportedTypes: ["text"],
});
