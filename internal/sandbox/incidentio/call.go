package incidentio

import (
	"encoding/json"
	"fmt"
	"io"
	"math"
	"net/http"
	"net/url"
	"strconv"
	"time"
)

const maxBody = 1 << 20

// call is one request on its way through the stand-in.
type call struct {
	w     http.ResponseWriter
	r     *http.Request
	query url.Values
	id    string // the {id} of the path
}

// object is JSON by hand: the shapes stand where they are answered.
type object = map[string]any

func (c *call) answer(status int, body any) {
	c.w.Header().Set("Content-Type", "application/json")
	c.w.WriteHeader(status)
	_ = json.NewEncoder(c.w).Encode(body) // the caller may have gone
}

// refuse answers an error in the API's shape. field may be empty.
func (c *call) refuse(status int, kind, code, message, field string) {
	c.answer(status, errorBody(status, kind, code, message, field))
}

func errorBody(status int, kind, code, message, field string) object {
	e := object{"code": code, "message": message}
	if field != "" {
		e["source"] = object{"field": field}
	}
	return object{"type": kind, "status": status, "request_id": "631766c4-4afd-4803-997c-cd700928fa4b", "errors": []object{e}}
}

func (c *call) invalid(field, message string) {
	c.refuse(http.StatusUnprocessableEntity, "validation_error", "invalid_value", field+" "+message, field)
}

func (c *call) required(field string) {
	c.refuse(http.StatusUnprocessableEntity, "validation_error", "is_required", field+" is required", field)
}

func (c *call) missing(field string) {
	c.refuse(http.StatusNotFound, "not_found", "not_found", "The resource was not found", field)
}

func (c *call) tooMany(until, now time.Time, limit int) {
	wait := max(1, int(math.Ceil(until.Sub(now).Seconds())))
	c.w.Header().Set("Retry-After", strconv.Itoa(wait))
	body := errorBody(http.StatusTooManyRequests, "too_many_requests", "too_many_requests", "Too many requests. We recommend exponential backoff.", "")
	body["rate_limit"] = object{"name": "sandbox", "limit": limit, "remaining": 0, "retry_after": until.UTC().Format(time.RFC3339)}
	c.answer(http.StatusTooManyRequests, body)
}

// decode reads the JSON body into v and refuses fields that v does not know.
func (c *call) decode(s *Server, v any) bool {
	d := json.NewDecoder(io.LimitReader(c.r.Body, maxBody))
	d.DisallowUnknownFields()
	if err := d.Decode(v); err != nil {
		s.violate(fmt.Sprintf("unreadable body of %s %s: %v", c.r.Method, c.r.URL.Path, err))
		c.refuse(http.StatusBadRequest, "bad_request", "invalid_body", "The body could not be read", "")
		return false
	}
	return true
}

// page cuts a list after the id that the caller has seen. It answers the
// bounds, and the page size that goes into pagination_meta.
func (c *call) page(s *Server, ids []string, most int) (from, to, size int, ok bool) {
	size = 25
	if raw := c.query.Get("page_size"); raw != "" {
		n, err := strconv.Atoi(raw)
		if err != nil || n < 1 || n > most {
			s.violate("page_size " + raw + " of " + c.r.URL.Path)
			c.invalid("page_size", fmt.Sprintf("must be between 1 and %d", most))
			return 0, 0, 0, false
		}
		size = n
	}
	if after := c.query.Get("after"); after != "" {
		from = -1
		for i, id := range ids {
			if id == after {
				from = i + 1
			}
		}
		if from < 0 {
			s.violate("after=" + after + " was never handed out")
			c.invalid("after", "is not known")
			return 0, 0, 0, false
		}
	}
	return from, min(from+size, len(ids)), size, true
}

// meta is pagination_meta; after is there only when there is more.
func meta(ids []string, to, size int) object {
	m := object{"page_size": size}
	if to > 0 && to < len(ids) {
		m["after"] = ids[to-1]
	}
	return m
}
