// License LGPL-3.0 or later (https://www.gnu.org/licenses/lgpl).
import {Component, onWillStart, useState} from "@odoo/owl";
import {_t} from "@web/core/l10n/translation";
import {useService} from "@web/core/utils/hooks";

/** The way from an empty database to the first delivered message, for an administrator. */
export class FirstSteps extends Component {
  static template = "healthcare_integration_base.FirstSteps";
  static props = {endpoints: Array};

  setup() {
    this.orm = useService("orm");
    this.action = useService("action");
    this.counts = useState({});
    onWillStart(() => this.count());
  }

  async count() {
    const models = ["system", "credential", "subscription"];
    const counts = await Promise.all(
      models.map((name) => this.orm.silent.searchCount(`integration.${name}`, []))
    );
    models.forEach((name, index) => (this.counts[name] = counts[index]));
  }

  get steps() {
    const {endpoints} = this.props;
    return [
      {
        model: "integration.system",
        action: "integration_system_action",
        title: _t("Name the partner's system"),
        text: _t("Whom do you connect: a supplier network, a laboratory, finance?"),
        done: this.counts.system > 0,
      },
      {
        model: "integration.endpoint",
        action: "integration_endpoint_action",
        title: _t("Create its endpoint"),
        text: _t("The address Odoo sends to, or the door the partner comes in by."),
        done: endpoints.length > 0,
      },
      {
        model: "integration.credential",
        action: "integration_credential_action",
        title: _t("Enter a credential"),
        text: _t("How Odoo proves who it is. Encrypted, never shown again."),
        done: this.counts.credential > 0,
      },
      {
        model: "integration.subscription",
        action: "integration_subscription_action",
        title: _t("Subscribe to events"),
        text: _t("Which changes does the partner want to hear of?"),
        done: this.counts.subscription > 0,
      },
      {
        action: "integration_endpoint_action",
        title: _t("Test, then activate"),
        text: _t(
          "Send test message on the endpoint; activate it when the partner is content."
        ),
        done: endpoints.some((endpoint) => endpoint.state === "active"),
      },
    ];
  }

  get complete() {
    return this.steps.every((step) => step.done);
  }

  /** Position of the step to take now. */
  get current() {
    return this.steps.findIndex((step) => !step.done);
  }

  async open(step) {
    if (step.done || !step.model) {
      return this.action.doAction(`healthcare_integration_base.${step.action}`);
    }
    await this.action.doAction(
      {
        type: "ir.actions.act_window",
        name: step.title,
        res_model: step.model,
        views: [[false, "form"]],
      },
      {additionalContext: {}}
    );
  }
}
