package report

import (
	"fmt"
	"math"
	"time"
	"unicode/utf8"
)

// The plots are geometry only: the templates under page/ draw them as SVG. What
// runs across is in per cent of the width and what runs down in pixels, so that
// a plot fits any width while its letters keep their size.

// percent is a position across or a width, as SVG takes it.
type percent float64

// String writes 12.34%.
func (p percent) String() string { return fmt.Sprintf("%.2f%%", float64(p)) }

func part(n, of float64) percent {
	if of <= 0 || n <= 0 {
		return 0
	}
	return percent(100 * n / of)
}

// plot is what every plot has: a name for its elements, a title, and a sentence
// for those who cannot see it.
type plot struct {
	ID, Title, Desc string
	Height          int
}

// segment is a piece of a bar, or a mark.
type segment struct {
	Class string // one of those in style.css
	X, W  percent
	Y, H  int
	Say   string // what it stands for; shown when pointed at
}

// line is one row of a plot: a label and a value above what is drawn.
type line struct {
	Label, Value string
	TextY, BarY  int
	Segments     []segment
	Dots         []segment
	Marks        []segment
}

// tick is a place on an axis.
type tick struct {
	X      percent
	Y      int
	Label  string
	Anchor string // start, middle or end
}

// bars are horizontal bars, ranges on an axis, or events along a time.
type bars struct {
	plot
	Lines []line
	Ticks []tick
}

// The heights of a bar plot, in pixels.
const (
	lineHeight = 42
	labelY     = 14
	barY       = 21
	barHeight  = 12
	axisHeight = 20
)

// labelRunes is how many letters of a label fit the narrowest page beside a
// value.
const labelRunes = 40

func short(s string, runes int) string {
	if utf8.RuneCountInString(s) <= runes {
		return s
	}
	return string([]rune(s)[:runes-1]) + "…"
}

// add appends a line and gives it to be drawn on.
func (b *bars) add(label, value string) *line {
	top := len(b.Lines) * lineHeight
	b.Lines = append(b.Lines, line{Label: short(label, labelRunes), Value: value, TextY: top + labelY, BarY: top + barY})
	b.Height = len(b.Lines) * lineHeight
	return &b.Lines[len(b.Lines)-1]
}

// stack appends a piece of a bar behind the pieces before it.
func (l *line) stack(class string, n, of float64, say string) {
	if n <= 0 {
		return
	}
	var x percent
	for _, s := range l.Segments {
		x = s.X + s.W
	}
	l.Segments = append(l.Segments, segment{Class: class, X: x, W: part(n, of), Y: l.BarY, H: barHeight, Say: say})
}

// countBars draws counts against the largest.
func countBars(p plot, class string, counts []Count, of int) bars {
	b := bars{plot: p}
	largest := 0
	for _, c := range counts {
		largest = max(largest, c.N)
	}
	for _, c := range counts {
		value := fmt.Sprint(c.N)
		if of > 0 {
			value += " · " + percentOf(c.N, of)
		}
		b.add(c.Label, value).stack(class, float64(c.N), float64(largest), c.Label+": "+value)
	}
	return b
}

func percentOf(n, of int) string {
	if of == 0 {
		return "–"
	}
	return fmt.Sprintf("%.0f %%", 100*float64(n)/float64(of))
}

// columnPlot is upright bars along months.
type columnPlot struct {
	plot
	Columns []columnBar
	Grid    []tick
	Labels  []tick
}

type columnBar struct {
	X, W, Mid percent
	Segments  []segment
	Value     string
	ValueY    int
}

// The geometry of the column plot.
const (
	columnsTop    = 22
	columnsBottom = 172
	columnsHeight = 194
	gutter        = 8.0 // per cent, for the numbers of the grid
	labelsFit     = 6   // months that can be named on the narrowest page
	valuesFit     = 14  // columns that can carry their number
	outlinesFit   = 36  // columns whose pieces can be set apart by lines
)

// monthColumns draws the changes of each month, stacked by what became of them.
func monthColumns(p plot, months []Month) columnPlot {
	p.Height = columnsHeight
	c := columnPlot{plot: p}
	largest := 1
	for _, m := range months {
		largest = max(largest, m.N())
	}
	top := niceCeiling(largest)
	for _, n := range []int{0, top / 2, top} {
		if n == 0 || n*2 == top || n == top {
			c.Grid = append(c.Grid, tick{Y: columnY(n, top), Label: fmt.Sprint(n)})
		}
	}
	slot := (100 - gutter) / float64(len(months))
	width := math.Min(slot*0.72, 10)
	step := (len(months) + labelsFit - 1) / labelsFit
	thin := ""
	if len(months) > outlinesFit {
		thin = " thin"
	}
	for i, m := range months {
		mid := gutter + slot*(float64(i)+0.5)
		bar := columnBar{X: percent(mid - width/2), W: percent(width), Mid: percent(mid)}
		sum := 0
		for _, g := range groupsOf(m.Outcomes) {
			y := columnY(sum+g.N, top)
			bar.Segments = append(bar.Segments, segment{
				Class: g.ID + thin, X: bar.X, W: bar.W, Y: y, H: columnY(sum, top) - y,
				Say: fmt.Sprintf("%s: %d %s", m.Start.Format("January 2006"), g.N, g.Label),
			})
			sum += g.N
		}
		if len(months) <= valuesFit && sum > 0 {
			bar.Value, bar.ValueY = fmt.Sprint(sum), columnY(sum, top)-5
		}
		c.Columns = append(c.Columns, bar)
		if i%step == 0 {
			c.Labels = append(c.Labels, tick{X: percent(mid), Y: columnsBottom + 17, Label: m.Start.Format("Jan ’06"), Anchor: "middle"})
		}
	}
	return c
}

func columnY(n, top int) int {
	return columnsBottom - int(math.Round(float64(n)*(columnsBottom-columnsTop)/float64(top)))
}

// niceCeiling is the least of 1, 2, 4, 6, 8, 10, 20, 30, … 100, 200, … that is
// n or more.
func niceCeiling(n int) int {
	for scale := 1; ; scale *= 10 {
		for _, step := range []int{1, 2, 3, 4, 5, 6, 8} {
			if step*scale >= n && (step*scale == 1 || step*scale%2 == 0) {
				return step * scale
			}
		}
	}
}

// groupsOf puts outcomes into the four groups that the columns show. The ID is
// the group's class.
func groupsOf(outcomes map[Outcome]int) []Count {
	groups := []Count{
		{ID: "s-made", Label: "made", N: outcomes[Made]},
		{ID: "s-reported", Label: "reported afterwards", N: outcomes[Reported]},
		{ID: "s-open", Label: "under way", N: outcomes[UnderWay]},
		{ID: "s-not", Label: "not made", N: outcomes[Denied] + outcomes[Withdrawn] + outcomes[Lapsed] + outcomes[Failed]},
	}
	shown := groups[:0]
	for _, g := range groups {
		if g.N > 0 {
			shown = append(shown, g)
		}
	}
	return shown
}

// shortestWait is where the axis of waits begins. The axis is logarithmic:
// waits last from seconds to weeks.
const shortestWait = 30 * time.Second

func waitX(d, longest Span) percent {
	of := math.Log(math.Max(float64(longest), float64(2*shortestWait)) / float64(shortestWait))
	return percent(98 * math.Max(0, math.Log(math.Max(float64(d), 1)/float64(shortestWait))) / of)
}

// waitTicks are the round lengths that lie on the axis.
func waitTicks(longest Span, y int) []tick {
	var ticks []tick
	day := 24 * time.Hour
	for _, d := range []time.Duration{time.Minute, 10 * time.Minute, time.Hour, 6 * time.Hour, day, 7 * day, 60 * day, 360 * day} {
		if Span(d) <= longest {
			ticks = append(ticks, tick{X: waitX(Span(d), longest), Y: y, Label: Span(d).String(), Anchor: "middle"})
		}
	}
	return ticks
}
