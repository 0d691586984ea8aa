// License LGPL-3.0 or later (https://www.gnu.org/licenses/lgpl).
import {registry} from "@web/core/registry";

const tours = registry.category("web_tour.tours");

/** Steps that choose a record in a many2one or many2many field. */
function choose(field, text) {
  return [
    {
      content: `type into ${field}`,
      trigger: `.o_field_widget[name='${field}'] input`,
      run: `edit ${text}`,
    },
    {
      content: `choose ${text}`,
      trigger: `.o-autocomplete--dropdown-item:not(.o_m2o_dropdown_option):contains('${text}')`,
      run: "click",
    },
  ];
}

/** Save the form and wait until it is saved. */
function save() {
  return [
    {content: "save", trigger: ".o_form_button_save", run: "click"},
    {content: "saved", trigger: ".o_form_readonly, .o_form_saved"},
  ];
}

tours.add("integration_create_endpoint_and_subscription", {
  steps: () => [
    {
      content: "the overview leads to the endpoints",
      trigger: ".o_integration_overview a:contains('All endpoints')",
      run: "click",
    },
    {content: "new endpoint", trigger: ".o_list_button_add", run: "click"},
    {
      content: "its name",
      trigger: ".o_field_widget[name='name'] input",
      run: "edit Orders of the tour",
    },
    ...choose("system_id", "Tour network"),
    {
      content: "its code",
      trigger: ".o_field_widget[name='code'] input",
      run: "edit tour-orders",
    },
    {
      content: "its address",
      trigger: ".o_field_widget[name='url'] input",
      run: "edit http://127.0.0.1:9/orders",
    },
    ...save(),
    {
      content: "it is a draft",
      trigger: ".o_arrow_button_current:contains('Draft')",
    },
    {
      content: "to its subscriptions",
      trigger: ".oe_stat_button:contains('Subscriptions')",
      run: "click",
    },
    {content: "none yet", trigger: ".o_breadcrumb:contains('Subscriptions')"},
    {content: "new subscription", trigger: ".o_list_button_add", run: "click"},
    {
      content: "the endpoint is filled in",
      trigger: ".o_field_widget[name='endpoint_id'] input:value('Orders of the tour')",
    },
    ...choose("event_type_ids", "tour.partner.changed"),
    {
      content: "a filter on the document can be made",
      trigger:
        ".o_field_widget[name='domain'] .o_domain_selector, .o_field_widget[name='domain'] .o_field_domain_dialog_button",
    },
    ...save(),
  ],
});

tours.add("integration_preview_mapping", {
  steps: () => [
    {
      content: "preview",
      trigger: ".o_form_view button[name='action_preview']",
      run: "click",
    },
    {
      content: "show the result on the newest event",
      trigger: ".modal button[name='action_preview']:contains('Show result')",
      run: "click",
    },
    {
      content: "what would be sent",
      trigger: ".modal .o_integration_body_text:contains('TOUR-7')",
    },
    {content: "close", trigger: ".modal button:contains('Close')", run: "click"},
    {content: "closed", trigger: "body:not(:has(.modal))"},
  ],
});

tours.add("integration_replay_dead_message", {
  steps: () => [
    {
      content: "the overview counts it",
      trigger: ".o_integration_card_danger[data-card='dead']",
      run: "click",
    },
    {
      content: "open the dead message",
      trigger: ".o_data_row td[name='res_name']:contains('Tour document')",
      run: "click",
    },
    {content: "why it died", trigger: ".alert-danger:contains('HTTP 422')"},
    {
      content: "see its body",
      trigger: ".o_integration_view_body",
      run: "click",
    },
    {
      content: "a reason is needed",
      trigger: ".modal .o_integration_show_body:disabled",
    },
    {
      content: "give it",
      trigger: ".modal #o_integration_reason",
      run: "edit Looking into the rejection",
    },
    {
      content: "show",
      trigger: ".modal .o_integration_show_body:enabled",
      run: "click",
    },
    {
      content: "the very bytes",
      trigger: ".modal .o_integration_body_text:contains('TOUR-7')",
    },
    {content: "close", trigger: ".modal-footer button:contains('Close')", run: "click"},
    {
      content: "replay",
      trigger: "body:not(:has(.modal)) .o_form_view button[name='action_replay']",
      run: "click",
    },
    {
      content: "the replay is pending",
      trigger: ".o_form_view .o_arrow_button_current:contains('Pending')",
    },
    {
      content: "and names the original",
      trigger: ".o_field_widget[name='replay_of_id']",
    },
  ],
});
