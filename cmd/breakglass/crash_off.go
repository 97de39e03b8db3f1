//go:build !crashpoints

package main

import (
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/jackc/pgx/v5/pgxpool"
)

// tracePoints and outsidePoints do nothing: this build has no points to be
// killed at. See internal/crashpoint.
func tracePoints(*pgxpool.Config) {}

func outsidePoints() {}

// awsPoints leaves AWS's client to the SDK.
func awsPoints() aws.HTTPClient { return nil }

// claimMark and tickPoints are for the tests alone: how claims of this process
// are told from others', and how often it looks for what is due.
func claimMark() string { return "" }

func tickPoints() time.Duration { return 0 }
