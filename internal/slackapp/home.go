package slackapp

import (
	"context"
	"strconv"
	"strings"
	"time"

	"github.com/slack-go/slack"

	"github.com/breakglass-bot/breakglass/internal/change"
)

// homeList is one of the lists of the home tab.
type homeList string

// The lists, in the order in which they stand.
const (
	homeWaiting homeList = "waiting"
	homeMine    homeList = "mine"
	homeOpen    homeList = "open"
)

func homeListNames() []homeList { return []homeList{homeWaiting, homeMine, homeOpen} }

// homeRows is how many changes one page of a list shows. Three full lists fill
// about half of what Slack takes.
const homeRows = 10

// homePages is which page of each list somebody has turned to, from 0. It goes
// to Slack and back, and is believed nothing: a page that does not exist is the
// last one.
type homePages map[homeList]int

// homePageLimit bounds the number of a page that comes back from Slack.
const homePageLimit = 100_000

// value writes the pages: waiting/mine/open, such as 0/2/0.
func (p homePages) value() string {
	var all []string
	for _, l := range homeListNames() {
		all = append(all, strconv.Itoa(p[l]))
	}
	return strings.Join(all, "/")
}

// parsePages reads what value writes, and the first pages from anything else.
func parsePages(s string) homePages {
	parts := strings.Split(s, "/")
	p := homePages{}
	if len(parts) != len(homeListNames()) {
		return p
	}
	for i, l := range homeListNames() {
		n, err := strconv.Atoi(parts[i])
		if err != nil || n < 0 || n > homePageLimit {
			return homePages{}
		}
		p[l] = n
	}
	return p
}

// publishHome shows somebody their home tab as it stands now. A notice stands above
// it, until it is published again.
func (a *App) publishHome(ctx context.Context, who change.PersonID, pages homePages, notice string) {
	blocks, shown := a.homeBlocks(ctx, who, pages)
	if notice != "" {
		blocks = append([]slack.Block{sectionOf(notice), slack.NewDividerBlock()}, blocks...)
	}
	v := slack.HomeTabViewRequest{Type: slack.VTHomeTab, PrivateMetadata: shown.value(), Blocks: slack.Blocks{BlockSet: blocks}}
	_, err := a.Slack.PublishViewContext(ctx, slack.PublishViewContextRequest{UserID: string(who), View: v})
	if err != nil {
		a.Log.WarnContext(ctx, "a home tab could not be published", "person", string(who), "error", err)
	}
}

// refreshHome publishes somebody's home tab anew, after something changed for
// them. It does not hold up the acknowledgement.
func (a *App) refreshHome(ctx context.Context, who change.PersonID, pages homePages, notice string) {
	a.beside(ctx, "a home tab", func(ctx context.Context) {
		ctx, cancel := context.WithTimeout(ctx, 10*time.Second)
		defer cancel()
		a.publishHome(ctx, who, pages, notice)
	})
}

// noticeAtHome says something on the home tab, to whoever has clicked there: a form
// needs a trigger that lives for three seconds, and the home tab needs none.
func (a *App) noticeAtHome(ctx context.Context, i *interaction, text string) {
	if i.View != nil && i.View.Type == "home" {
		a.refreshHome(ctx, i.person(), parsePages(i.View.PrivateMetadata), text)
	}
}

// homeBlocks is what somebody's home tab shows, and which pages these are.
func (a *App) homeBlocks(ctx context.Context, who change.PersonID, pages homePages) ([]slack.Block, homePages) {
	request := primary(slack.NewButtonBlockElement(actionRequest, "request", plainObject("Request an emergency change", 75)))
	head := []slack.Block{
		sectionOf("The default is to wait it out: " + linkTo(a.Config.ReleaseURL, "use the release process") + " whenever that is possible."),
		slack.NewActionBlock("request", request),
	}
	if err := a.reader(ctx, who); err != nil {
		if refusedAs(err, change.NotAllowed) {
			return []slack.Block{sectionOf(a.explain(ctx, err))}, nil
		}
		return append(head, sectionOf("Who you are could not be looked up just now. Open this tab again in a moment.")), nil
	}
	h, err := a.homeOf(ctx, who, pages)
	if err != nil {
		a.Log.WarnContext(ctx, "a home tab could not be filled", "person", string(who), "error", err)
		return append(head, sectionOf("What is open could not be read just now. Open this tab again in a moment.")), nil
	}
	return append(head, h.blocks()...), h.pages()
}
