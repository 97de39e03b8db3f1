package web_test

// Block Kit as an application sends it: between them these hold every block and
// every element.

const requestForm = `{"type":"modal","callback_id":"request","title":{"type":"plain_text","text":"Emergency change"},
"submit":{"type":"plain_text","text":"Request"},"close":{"type":"plain_text","text":"Cancel"},"blocks":[
{"type":"section","text":{"type":"mrkdwn","text":"The default is to *wait it out*: <https://example.com/release|the release process>."}},
{"type":"input","block_id":"why","label":{"type":"plain_text","text":"Why can't the release process be used?"},"element":{"type":"radio_buttons","action_id":"choice","options":[
  {"text":{"type":"plain_text","text":"GitHub is down"},"value":"github","description":{"type":"plain_text","text":"and something must ship"}},
  {"text":{"type":"plain_text","text":"The platform cannot recover by itself"},"value":"platform"},
  {"text":{"type":"plain_text","text":"None of these"},"value":"none"}]}},
{"type":"input","block_id":"what","label":{"type":"plain_text","text":"What will you change?"},"element":{"type":"plain_text_input","action_id":"text","multiline":true},
 "hint":{"type":"plain_text","text":"Two sentences are enough."}},
{"type":"input","block_id":"where","label":{"type":"plain_text","text":"Where"},"element":{"type":"external_select","action_id":"target","min_query_length":0,"placeholder":{"type":"plain_text","text":"Choose a target"}}},
{"type":"input","block_id":"long","label":{"type":"plain_text","text":"For how long"},"element":{"type":"static_select","action_id":"duration",
 "initial_option":{"text":{"type":"plain_text","text":"30 minutes"},"value":"30m"},
 "options":[{"text":{"type":"plain_text","text":"30 minutes"},"value":"30m"},{"text":{"type":"plain_text","text":"1 hour"},"value":"1h"}]}},
{"type":"input","block_id":"call","optional":true,"label":{"type":"plain_text","text":"Who is on the call with you?"},"element":{"type":"multi_users_select","action_id":"people","max_selected_items":3}}
]}`

const everyInput = `{"type":"modal","callback_id":"inputs","notify_on_close":true,"title":{"type":"plain_text","text":"Every input"},"submit":{"type":"plain_text","text":"Save"},"blocks":[
{"type":"input","block_id":"line","label":{"type":"plain_text","text":"A line"},"element":{"type":"plain_text_input","action_id":"v","max_length":20,"initial_value":"given"}},
{"type":"input","block_id":"told","dispatch_action":true,"optional":true,"label":{"type":"plain_text","text":"A line told at once"},"element":{"type":"plain_text_input","action_id":"v"}},
{"type":"input","block_id":"url","optional":true,"label":{"type":"plain_text","text":"An address"},"element":{"type":"url_text_input","action_id":"v"}},
{"type":"input","block_id":"email","optional":true,"label":{"type":"plain_text","text":"An e-mail address"},"element":{"type":"email_text_input","action_id":"v"}},
{"type":"input","block_id":"number","optional":true,"label":{"type":"plain_text","text":"A number"},"element":{"type":"number_input","action_id":"v","is_decimal_allowed":false}},
{"type":"input","block_id":"groups","optional":true,"label":{"type":"plain_text","text":"From groups"},"element":{"type":"static_select","action_id":"v","option_groups":[
  {"label":{"type":"plain_text","text":"Fruit"},"options":[{"text":{"type":"plain_text","text":"Apple"},"value":"apple"}]},
  {"label":{"type":"plain_text","text":"Roots"},"options":[{"text":{"type":"plain_text","text":"Beet"},"value":"beet"}]}]}},
{"type":"input","block_id":"several","optional":true,"label":{"type":"plain_text","text":"Several"},"element":{"type":"multi_static_select","action_id":"v","options":[
  {"text":{"type":"plain_text","text":"One"},"value":"1"},{"text":{"type":"plain_text","text":"Two"},"value":"2"}]}},
{"type":"input","block_id":"person","optional":true,"label":{"type":"plain_text","text":"A person"},"element":{"type":"users_select","action_id":"v"}},
{"type":"input","block_id":"channel","optional":true,"label":{"type":"plain_text","text":"A channel"},"element":{"type":"conversations_select","action_id":"v"}},
{"type":"input","block_id":"marks","optional":true,"label":{"type":"plain_text","text":"Marks"},"element":{"type":"checkboxes","action_id":"v","options":[
  {"text":{"type":"mrkdwn","text":"*Nothing* was changed"},"value":"nothing"},{"text":{"type":"plain_text","text":"Something else"},"value":"else"}]}},
{"type":"input","block_id":"day","optional":true,"label":{"type":"plain_text","text":"A day"},"element":{"type":"datepicker","action_id":"v"}},
{"type":"input","block_id":"time","optional":true,"label":{"type":"plain_text","text":"A time"},"element":{"type":"timepicker","action_id":"v"}},
{"type":"input","block_id":"moment","optional":true,"label":{"type":"plain_text","text":"A moment"},"element":{"type":"datetimepicker","action_id":"v","initial_date_time":1772442000}},
{"type":"input","block_id":"file","optional":true,"label":{"type":"plain_text","text":"A file"},"element":{"type":"file_input","action_id":"v"}}
]}`

const everyBlock = `[
{"type":"header","text":{"type":"plain_text","text":"Every block :tada:"}},
{"type":"section","text":{"type":"mrkdwn","text":"*bold* _slanted_ ~struck~ ` + "`code` <@U0CTO> <#C0AUDIT> <!subteam^S0RELMGR> <https://example.com/?a=1&amp;b=2|a link> &lt;script&gt;alert(1)&lt;/script&gt; <!date^1772442000^{date_short} at {time}|then>\\n&gt; a quote\\n```{ block }```" + `"},
 "accessory":{"type":"overflow","action_id":"more","options":[{"text":{"type":"plain_text","text":"Mute"},"value":"mute"},{"text":{"type":"plain_text","text":"Forget"},"value":"forget"}]}},
{"type":"section","text":{"type":"mrkdwn","text":"<javascript:alert(1)|not a link>"}},
{"type":"section","fields":[{"type":"mrkdwn","text":"*Who*\n<@U0ENGINEER>"},{"type":"mrkdwn","text":"*State*\nwaiting"}]},
{"type":"divider"},
{"type":"context","elements":[{"type":"mrkdwn","text":"owed by _tomorrow_"},{"type":"image","image_url":"https://example.com/x.png","alt_text":"a chart"}]},
{"type":"image","image_url":"https://example.com/y.png","alt_text":"a picture"},
{"type":"rich_text","elements":[
 {"type":"rich_text_section","elements":[{"type":"text","text":"rich ","style":{"bold":true}},{"type":"link","url":"https://example.com","text":"link"},{"type":"user","user_id":"U0DEPUTY"}]},
 {"type":"rich_text_list","style":"bullet","elements":[{"type":"rich_text_section","elements":[{"type":"text","text":"first"}]},{"type":"rich_text_section","elements":[{"type":"text","text":"second"}]}]},
 {"type":"rich_text_quote","elements":[{"type":"text","text":"quoted"}]},
 {"type":"rich_text_novelty","elements":[]}]},
{"type":"actions","elements":[
 {"type":"button","action_id":"plain","text":{"type":"plain_text","text":"Plain"},"value":"1"},
 {"type":"button","action_id":"danger","style":"danger","text":{"type":"plain_text","text":"End now"},"confirm":{"title":{"type":"plain_text","text":"End the access?"},"text":{"type":"plain_text","text":"It is taken away at once."},"confirm":{"type":"plain_text","text":"End it"},"deny":{"type":"plain_text","text":"Keep it"},"style":"danger"}},
 {"type":"static_select","action_id":"pick","placeholder":{"type":"plain_text","text":"Remind me later"},"options":[{"text":{"type":"plain_text","text":"In 2 hours"},"value":"2h"}]},
 {"type":"datepicker","action_id":"date","placeholder":{"type":"plain_text","text":"A day"}}]}
]`

const card = `[
{"type":"header","text":{"type":"plain_text","text":"EC-1 · Manual change in production"}},
{"type":"section","fields":[{"type":"mrkdwn","text":"*Who*\n<@U0ENGINEER>"},{"type":"mrkdwn","text":"*State*\n:hourglass: Waiting for an approval"},{"type":"mrkdwn","text":"*Where*\nProduction, BreakGlassAdmin"},{"type":"mrkdwn","text":"*For how long*\n30 minutes"}]},
{"type":"section","text":{"type":"mrkdwn","text":"*What:* Restart the stuck queue by hand.\n*Why:* GitHub is down, and orders are piling up."}},
{"type":"context","elements":[{"type":"mrkdwn","text":"Next: <@U0CTO> or <@U0DEPUTY> · record owed within 24 hours of the start"}]},
{"type":"actions","elements":[{"type":"button","action_id":"withdraw","text":{"type":"plain_text","text":"Withdraw"},"value":"EC-1"}]}]`

const question = `[
{"type":"section","text":{"type":"mrkdwn","text":"*<@U0ENGINEER>* asks for *BreakGlassAdmin* in *Production* for 30 minutes (EC-1)."}},
{"type":"section","text":{"type":"mrkdwn","text":"&gt; Restart the stuck queue by hand."}},
{"type":"actions","block_id":"decide","elements":[
{"type":"button","action_id":"approve","style":"primary","text":{"type":"plain_text","text":"Approve"},"value":"EC-1","confirm":{"title":{"type":"plain_text","text":"Approve EC-1?"},"text":{"type":"mrkdwn","text":"*Engineer* gets admin access to *Production* for 30 minutes."},"confirm":{"type":"plain_text","text":"Approve"},"deny":{"type":"plain_text","text":"Not now"}}},
{"type":"button","action_id":"deny","text":{"type":"plain_text","text":"Deny"},"value":"EC-1"},
{"type":"button","action_id":"duration","text":{"type":"plain_text","text":"Change duration"},"value":"EC-1"},
{"type":"button","action_id":"show","text":{"type":"plain_text","text":"Show"},"value":"EC-1"}]}]`

const home = `{"type":"home","blocks":[
{"type":"header","text":{"type":"plain_text","text":"Waiting for you"}},
{"type":"section","text":{"type":"mrkdwn","text":"*EC-1* Manual change: write the record"},"accessory":{"type":"button","action_id":"record","style":"primary","text":{"type":"plain_text","text":"Write record"},"value":"EC-1"}},
{"type":"context","elements":[{"type":"mrkdwn","text":"due <!date^1772442000^{date_short_pretty} at {time}|soon>"}]},
{"type":"divider"},
{"type":"header","text":{"type":"plain_text","text":"Your changes"}},
{"type":"section","text":{"type":"mrkdwn","text":"*EC-1* Manual change · ended"},"accessory":{"type":"button","action_id":"show","text":{"type":"plain_text","text":"Show"},"value":"EC-1"}},
{"type":"actions","elements":[{"type":"button","action_id":"request","text":{"type":"plain_text","text":"Request an emergency change"}}]}]}`
