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
	c.Links = slices.Repeat([]string{""}, len(c.Links))
	c.Record.Done, c.Record.Why = "", ""
	c.Review.Draft = ReviewText{}
	c.Review.Text.What, c.Review.Text.Standard, c.Review.Text.Prevent, c.Review.Text.NoAction = "", "", "", ""
	for i := range c.Review.Text.Actions {
		c.Review.Text.Actions[i].What = ""
	}
	if c.Incident != nil {
		c.Incident.Now.Name = ""
		if at := copied(c.Incident.AtRequest); at != nil {
			at.Name = ""
			c.Incident.AtRequest = at
		}
	}
	return c
}
