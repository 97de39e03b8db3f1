// Package crashpoint names the boundaries at which the program may be killed:
// before and after each commit, each call of another system and each reply to
// Slack. Only a build with the tag crashpoints holds any of it; in every other
// the functions are empty, and nothing of the package is in the program.
//
// A boundary is named after what is being done, which the context carries (see
// Doing), and after the operation. So a new command, delivery or call has its
// points without anybody naming them.
//
// In a build with the tag, CRASHPOINTS names a folder. Each point that is
// reached is a line of the file "reached" there. A line NAME#3 of the file
// "kill" kills the program where the point is reached for the third time, counted
// over all its starts; what has killed it is a line of the file "killed".
//
// It imports the standard library only. Those that reach boundaries import it:
// workflow, reconcile, slackapp and cmd.
package crashpoint
