package change

import "slices"

// WithoutTexts is the change without anything that people typed. What is left
// can be hashed for ever; texts can be erased.
func (c Change) WithoutTexts() Change {
	c = c.clone()
	c.What, c.Why, c.Reply = "", "", ""
	for i := range c.Answers {
		c.Answers[i].Text = ""
	}
	for i := range c.Asks {
		c.Asks[i].Why = ""
		for j := range c.Asks[i].Decisions {
			c.Asks[i].Decisions[j].Reason = ""
		}
	}
	for i := range c.Notes {
		c.Notes[i].Text = ""
	}
	for i := range c.Obligations {
		c.Obligations[i].Waiver = ""
	}
	for i := range c.MergeRequests {
		m := &c.MergeRequests[i]
		m.Ref = MergeRequestRef{}
		if m.Seen != nil {
			m.Seen = m.Seen.withoutTexts()
		}
	}
	c.Links = slices.Repeat([]string{""}, len(c.Links))
	c.Record.Done, c.Record.Why = "", ""
	c.Review.Draft = ReviewText{}
	c.Review.Text.What, c.Review.Text.Standard, c.Review.Text.Prevent, c.Review.Text.NoAction = "", "", "", ""
	c.Review.Text.RootCause = ""
	for i := range c.Review.Text.Actions {
		c.Review.Text.Actions[i].What = ""
	}
	if c.Incident != nil {
		c.Incident.Now.Name = ""
		for _, at := range []**Incident{&c.Incident.AtRequest, &c.Incident.AtApproval, &c.Incident.AtEnd, &c.Incident.AtRecord} {
			if *at = copied(*at); *at != nil {
				(*at).Name = ""
			}
		}
		if o := copied(c.Incident.Opening); o != nil {
			o.Name = ""
			c.Incident.Opening = o
		}
	}
	return c
}

// withoutTexts keeps what says nothing about people or their words: what the
// events of it state as facts.
func (m MergeRequest) withoutTexts() *MergeRequest {
	return &MergeRequest{State: m.State, Head: m.Head, MergedAt: m.MergedAt, MergedCommit: m.MergedCommit, SeenAt: m.SeenAt}
}
