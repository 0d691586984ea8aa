// License LGPL-3.0 or later (https://www.gnu.org/licenses/lgpl).
import {Component, onWillStart, onWillUnmount, useState} from "@odoo/owl";
import {deserializeDateTime, formatDateTime} from "@web/core/l10n/dates";
import {_t} from "@web/core/l10n/translation";
import {registry} from "@web/core/registry";
import {user} from "@web/core/user";
import {useService} from "@web/core/utils/hooks";
import {Layout} from "@web/search/layout";
import {standardActionServiceProps} from "@web/webclient/actions/action_service";
import {FirstSteps} from "./first_steps";
import {ThroughputChart} from "./throughput_chart";

const REFRESH_MS = 15000;
const ADMINISTRATOR = "healthcare_integration_base.group_administrator";
const ENDPOINT_FIELDS = [
  "name",
  "system_id",
  "direction",
  "state",
  "environment_matches",
  "breaker_state",
  "failing_since",
  "last_success_at",
  "pending_count",
  "dead_count",
];

/** First page of the app: what needs somebody now, and the way to it. */
export class IntegrationOverview extends Component {
  static template = "healthcare_integration_base.Overview";
  static components = {FirstSteps, Layout, ThroughputChart};
  static props = {...standardActionServiceProps};

  setup() {
    this.orm = useService("orm");
    this.action = useService("action");
    this.state = useState({overview: null, endpoints: [], updated: null, stale: false});
    onWillStart(async () => {
      this.isAdministrator = await user.hasGroup(ADMINISTRATOR);
      await this.load();
    });
    const timer = setInterval(() => this.refresh(), REFRESH_MS);
    onWillUnmount(() => clearInterval(timer));
  }

  async load() {
    const [overview, endpoints] = await Promise.all([
      this.orm.silent.call("integration.drain", "overview", []),
      this.orm.silent.searchRead("integration.endpoint", [], ENDPOINT_FIELDS),
    ]);
    Object.assign(this.state, {
      overview,
      endpoints: endpoints.sort((a, b) => this.urgency(b) - this.urgency(a)),
      updated: luxon.DateTime.now(),
      stale: false,
    });
  }

  /** Look again, unless nobody is looking; a lost connection only marks the figures as old. */
  async refresh() {
    if (document.hidden) {
      return;
    }
    try {
      await this.load();
    } catch {
      this.state.stale = true;
    }
  }

  // -- what is shown -----------------------------------------------------------

  get cards() {
    return [
      this.card("dead", _t("Dead messages"), "fa-exclamation-triangle", "danger"),
      this.card("late", _t("Late messages"), "fa-clock-o", "warning"),
      this.card("open_cases", _t("Open cases"), "fa-life-ring", "warning"),
      this.card("my_cases", _t("My cases"), "fa-user", "primary"),
      this.card("paused_endpoints", _t("Paused or disabled"), "fa-pause", "warning"),
    ];
  }

  card(key, label, icon, color) {
    const figure = this.state.overview[key];
    return {key, label, icon, color, ...figure, hint: this.hint(key, figure.count)};
  }

  hint(key, count) {
    if (!count) {
      return _t("none");
    }
    const {oldest_due_seconds, overdue_cases} = this.state.overview;
    const hints = {
      dead: _t("not sent again by themselves"),
      late: oldest_due_seconds
        ? _t("the oldest waits %s", this.duration(oldest_due_seconds))
        : _t("held, or waiting for a retry"),
      open_cases: overdue_cases.count
        ? _t("%s past their deadline", overdue_cases.count)
        : _t("wait for somebody"),
      my_cases: _t("assigned to you"),
      paused_endpoints: _t("endpoints hold their messages"),
    };
    return hints[key];
  }

  get quiet() {
    return this.cards.every((card) => !card.count);
  }

  /** What is wrong with this node or database. */
  get warnings() {
    const {environment, hints} = this.state.overview;
    const held = this.state.endpoints.filter(
      (endpoint) => endpoint.state === "active" && !endpoint.environment_matches
    ).length;
    const text = _t(
      "Active endpoints of another environment: %(held)s. They are held, because this database runs as %(environment)s.",
      {held, environment}
    );
    return environment && held ? [...hints, {level: "info", text}] : hints;
  }

  get figures() {
    const {delivered_24h, received_24h, failed_attempts_24h, pending} =
      this.state.overview;
    return [
      {key: "delivered", label: _t("delivered"), ...delivered_24h},
      {key: "received", label: _t("received"), ...received_24h},
      {key: "failed", label: _t("failed attempts"), ...failed_attempts_24h},
      {key: "pending", label: _t("pending now"), ...pending},
    ];
  }

  /** Endpoints that need a look come first; drafts last. */
  urgency(endpoint) {
    if (endpoint.state === "draft") {
      return -1;
    }
    return (
      8 * (endpoint.breaker_state === "open") +
      4 * Boolean(endpoint.dead_count) +
      2 * ["paused", "disabled"].includes(endpoint.state) +
      Boolean(endpoint.pending_count)
    );
  }

  badge(state) {
    const colors = {
      active: "success",
      paused: "warning",
      disabled: "danger",
      draft: "300",
    };
    return `text-bg-${colors[state] || "info"}`;
  }

  stateLabel(state) {
    const labels = {
      draft: _t("Draft"),
      test: _t("Test"),
      shadow: _t("Shadow"),
      active: _t("Active"),
      paused: _t("Paused"),
      disabled: _t("Disabled"),
    };
    return labels[state];
  }

  health(endpoint) {
    if (!endpoint.environment_matches) {
      return {color: "text-info", icon: "fa-lock", text: _t("Held: other environment")};
    }
    const incoming = endpoint.direction === "in";
    const idle = {
      draft: [_t("Not in use yet"), "fa-pencil text-muted"],
      test: [
        incoming ? _t("Takes messages, applies none") : _t("Sends on demand only"),
        "fa-flask text-info",
      ],
      shadow: [_t("Rehearses, sends nothing"), "fa-eye-slash text-info"],
      paused: [_t("Holds its messages"), "fa-pause text-warning"],
      disabled: [
        incoming ? _t("Takes no messages") : _t("Holds its messages"),
        "fa-ban text-danger",
      ],
    }[endpoint.state];
    if (idle) {
      return {color: "", icon: idle[1], text: idle[0]};
    }
    if (incoming) {
      // Nobody is called: there is no health of a partner to tell of.
      return {
        color: "text-success",
        icon: "fa-check-circle",
        text: _t("Takes messages"),
      };
    }
    if (endpoint.breaker_state === "open") {
      return {color: "text-danger", icon: "fa-times-circle", text: _t("Not answering")};
    }
    if (endpoint.failing_since) {
      const since = this.ago(endpoint.failing_since);
      return {
        color: "text-warning",
        icon: "fa-warning",
        text: _t("Failing since %s", since),
      };
    }
    if (endpoint.last_success_at) {
      return {color: "text-success", icon: "fa-check-circle", text: _t("Healthy")};
    }
    return {color: "text-muted", icon: "fa-circle-o", text: _t("No traffic yet")};
  }

  ago(value) {
    return value ? deserializeDateTime(value).toRelative() : "";
  }

  exact(value) {
    return value ? formatDateTime(deserializeDateTime(value)) : "";
  }

  duration(seconds) {
    if (seconds < 120) {
      return _t("%s s", Math.round(seconds || 0));
    }
    if (seconds < 7200) {
      return _t("%s min", Math.round(seconds / 60));
    }
    return seconds < 172800
      ? _t("%s h", Math.round(seconds / 3600))
      : _t("%s days", Math.round(seconds / 86400));
  }

  // -- where it leads ----------------------------------------------------------

  openFigure(figure) {
    if (!figure.model) {
      return;
    }
    this.action.doAction({
      type: "ir.actions.act_window",
      name: figure.label,
      res_model: figure.model,
      views: [
        [false, "list"],
        [false, "form"],
      ],
      domain: figure.domain,
    });
  }

  openEndpoint(endpoint) {
    this.action.doAction({
      type: "ir.actions.act_window",
      res_model: "integration.endpoint",
      res_id: endpoint.id,
      views: [[false, "form"]],
    });
  }

  openAction(xmlid) {
    this.action.doAction(`healthcare_integration_base.${xmlid}`);
  }
}

registry
  .category("actions")
  .add("healthcare_integration.overview", IntegrationOverview);
