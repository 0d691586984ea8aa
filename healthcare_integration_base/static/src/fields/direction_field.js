// License LGPL-3.0 or later (https://www.gnu.org/licenses/lgpl).
import {Component} from "@odoo/owl";
import {_t} from "@web/core/l10n/translation";
import {registry} from "@web/core/registry";
import {standardFieldProps} from "@web/views/fields/standard_field_props";

/** Direction of a message or endpoint: an arrow that is seen before the word is read. */
export class IntegrationDirectionField extends Component {
  static template = "healthcare_integration_base.DirectionField";
  static props = {...standardFieldProps};

  get value() {
    return this.props.record.data[this.props.name];
  }

  get label() {
    const options = this.props.record.fields[this.props.name].selection;
    const option = options.find(([value]) => value === this.value);
    return option ? option[1] : "";
  }

  get icon() {
    return this.value === "in" ? "fa-arrow-down text-info" : "fa-arrow-up text-success";
  }
}

registry.category("fields").add("integration_direction", {
  component: IntegrationDirectionField,
  displayName: _t("Integration direction"),
  supportedTypes: ["selection"],
});
