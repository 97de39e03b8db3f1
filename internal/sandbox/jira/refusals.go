package jira

import "net/http"

// refusal is the body of every refusal of Jira's.
type refusal struct {
	ErrorMessages []string          `json:"errorMessages"`
	Errors        map[string]string `json:"errors"`
}

// refused answers a message that belongs to no field.
func refused(status int, message string) answer {
	return answer{status, refusal{ErrorMessages: []string{message}, Errors: map[string]string{}}}
}

// refusedFields answers a message for each field.
func refusedFields(fields map[string]string) answer {
	return answer{http.StatusBadRequest, refusal{ErrorMessages: []string{}, Errors: fields}}
}

// noIssue says the same of what is not there and what may not be seen.
func noIssue() answer {
	return refused(http.StatusNotFound, "Issue does not exist or you do not have permission to see it.")
}

func noComment(id string) answer {
	return refused(http.StatusNotFound, "Can not find a comment for the id: "+id+".")
}

const (
	tooLong     = "The entered text is too long. It exceeds the allowed limit of 32,767 characters."
	notOnScreen = "Field '%s' cannot be set. It is not on the appropriate screen, or unknown."
	notAString  = "Operation value must be a string"
)
