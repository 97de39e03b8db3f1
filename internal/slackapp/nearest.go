package slackapp

// nearest gives the word that takes the fewest letters to change, add or drop.
func nearest(word string, words []string) string {
	best, least := "", -1
	for _, w := range words {
		if d := distance(word, w); least < 0 || d < least {
			best, least = w, d
		}
	}
	return best
}

// distance is Levenshtein's, over characters.
func distance(a, b string) int {
	from, to := []rune(a), []rune(b)
	row := make([]int, len(to)+1)
	for j := range row {
		row[j] = j
	}
	for i, x := range from {
		before := row[0]
		row[0] = i + 1
		for j, y := range to {
			cost := before
			if x != y {
				cost++
			}
			before = row[j+1]
			row[j+1] = min(cost, row[j]+1, row[j+1]+1)
		}
	}
	return row[len(to)]
}
