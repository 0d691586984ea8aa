// License LGPL-3.0 or later (https://www.gnu.org/licenses/lgpl).
/* global Chart, luxon */
import {
  Component,
  onWillStart,
  onWillUnmount,
  useEffect,
  useRef,
  useState,
} from "@odoo/owl";
import {loadBundle} from "@web/core/assets";
import {_t} from "@web/core/l10n/translation";
import {useService} from "@web/core/utils/hooks";

const HOURS = 24;
const REFRESH_MS = 60000;
const GOT_THROUGH = ["delivered", "done"];

/** Messages of the last day, by the hour they were made and by what became of them. */
export class ThroughputChart extends Component {
  static template = "healthcare_integration_base.ThroughputChart";
  static props = {};

  setup() {
    this.orm = useService("orm");
    this.canvas = useRef("canvas");
    this.state = useState({groups: []});
    onWillStart(async () => {
      await Promise.all([loadBundle("web.chartjs_lib"), this.load()]);
    });
    const timer = setInterval(
      () => document.hidden || this.load().catch(() => {}),
      REFRESH_MS
    );
    onWillUnmount(() => clearInterval(timer));
    useEffect(
      () => this.draw(),
      () => [this.state.groups]
    );
  }

  async load() {
    const since = luxon.DateTime.now()
      .minus({hours: HOURS - 1})
      .startOf("hour");
    this.since = since;
    this.state.groups = await this.orm.silent.formattedReadGroup(
      "integration.message",
      [["created_at", ">=", since.toUTC().toFormat("yyyy-MM-dd HH:mm:ss")]],
      ["created_at:hour", "state"],
      ["__count"]
    );
  }

  get empty() {
    return !this.state.groups.length;
  }

  /** Counts per hour of the groups whose state is accepted by `accepts`. */
  series(accepts) {
    const counts = new Array(HOURS).fill(0);
    for (const group of this.state.groups) {
      const at = luxon.DateTime.fromSQL(group["created_at:hour"][0], {zone: "utc"});
      const index = Math.floor(at.diff(this.since, "hours").hours + 1e-6);
      if (index in counts && accepts(group.state)) {
        counts[index] += group.__count;
      }
    }
    return counts;
  }

  get data() {
    const style = getComputedStyle(document.documentElement);
    const bar = (label, color, accepts) => ({
      label,
      data: this.series(accepts),
      backgroundColor: style.getPropertyValue(`--${color}`) || undefined,
      borderRadius: 2,
    });
    return {
      labels: [...Array(HOURS).keys()].map((hour) =>
        this.since.plus({hours: hour}).toFormat("HH:mm")
      ),
      datasets: [
        bar(_t("Got through"), "success", (state) => GOT_THROUGH.includes(state)),
        bar(_t("Pending"), "info", (state) => state === "pending"),
        bar(_t("Dead"), "danger", (state) => state === "dead"),
        bar(_t("Set aside"), "gray-400", (state) =>
          ["filtered", "cancelled", "shadow"].includes(state)
        ),
      ],
    };
  }

  draw() {
    if (!this.canvas.el) {
      return;
    }
    const chart = new Chart(this.canvas.el, {
      type: "bar",
      data: this.data,
      options: {
        animation: false,
        maintainAspectRatio: false,
        plugins: {legend: {position: "bottom", labels: {boxWidth: 12}}},
        scales: {
          x: {stacked: true, grid: {display: false}, ticks: {maxRotation: 0}},
          y: {stacked: true, beginAtZero: true, ticks: {precision: 0}},
        },
      },
    });
    return () => chart.destroy();
  }
}
