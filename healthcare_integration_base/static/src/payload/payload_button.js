// License LGPL-3.0 or later (https://www.gnu.org/licenses/lgpl).
import {Component, useState} from "@odoo/owl";
import {Dialog} from "@web/core/dialog/dialog";
import {_t} from "@web/core/l10n/translation";
import {registry} from "@web/core/registry";
import {useAutofocus, useService} from "@web/core/utils/hooks";
import {standardWidgetProps} from "@web/views/widgets/standard_widget_props";
import {prettyBody} from "../fields/body_field";

/**
 * Asks why somebody wants to see a body, then shows it. The body lives in this dialog only:
 * it is written into no record and no cache on the way.
 */
export class PayloadDialog extends Component {
  static template = "healthcare_integration_base.PayloadDialog";
  static components = {Dialog};
  static props = {messageId: Number, close: Function};

  setup() {
    this.orm = useService("orm");
    this.state = useState({reason: "", parts: null, current: 0, raw: false});
    useAutofocus({refName: "reason"});
  }

  get part() {
    return this.state.parts[this.state.current];
  }

  get text() {
    return this.state.raw ? this.part.text : prettyBody(this.part.text);
  }

  get size() {
    return _t("%s bytes", this.part.size);
  }

  async show() {
    const reason = this.state.reason.trim();
    if (reason) {
      this.state.parts = await this.orm.call("integration.message", "view_payload", [
        [this.props.messageId],
        reason,
      ]);
    }
  }
}

/** Button of the message form that opens the dialog. */
export class PayloadButton extends Component {
  static template = "healthcare_integration_base.PayloadButton";
  static props = {...standardWidgetProps};

  setup() {
    this.dialog = useService("dialog");
  }

  open() {
    this.dialog.add(PayloadDialog, {messageId: this.props.record.resId});
  }
}

registry.category("view_widgets").add("integration_payload_button", {
  component: PayloadButton,
});
