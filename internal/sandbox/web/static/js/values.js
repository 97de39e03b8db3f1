// Under which member each kind of element keeps its value, and the options that
// an element carries itself. The same table stands in sandbox/slack/element.go.
const keys = {
  plain_text_input: "value", url_text_input: "value", email_text_input: "value", number_input: "value",
  static_select: "selected_option", external_select: "selected_option", radio_buttons: "selected_option", overflow: "selected_option",
  multi_static_select: "selected_options", multi_external_select: "selected_options", checkboxes: "selected_options",
  users_select: "selected_user", multi_users_select: "selected_users",
  conversations_select: "selected_conversation", multi_conversations_select: "selected_conversations",
  channels_select: "selected_channel", multi_channels_select: "selected_channels",
  datepicker: "selected_date", timepicker: "selected_time", datetimepicker: "selected_date_time",
};

export const keyOf = (kind) => keys[kind];

export const sameOption = (a, b) => a?.value === b?.value && a?.text?.text === b?.text?.text;

export const optionsOf = (element) => element.options ?? (element.option_groups ?? []).flatMap((g) => g.options);
