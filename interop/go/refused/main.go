// Command refused posts a body to a URL again and again, each time over a connection of its own, and prints the status
// that it read each time, or the error.
package main

import (
	"bytes"
	"fmt"
	"net/http"
	"os"
	"strconv"
	"time"
)

func main() {
	if len(os.Args) != 5 {
		fmt.Fprintln(os.Stderr, "usage: refused URL CONTENT-TYPE BYTES TIMES")
		os.Exit(2)
	}
	size, errSize := strconv.Atoi(os.Args[3])
	times, errTimes := strconv.Atoi(os.Args[4])
	if errSize != nil || errTimes != nil {
		fmt.Fprintln(os.Stderr, "BYTES and TIMES are numbers")
		os.Exit(2)
	}
	for range times {
		fmt.Println(answer(os.Args[1], os.Args[2], make([]byte, size)))
	}
}

func answer(url, contentType string, body []byte) string {
	client := http.Client{Transport: &http.Transport{DisableKeepAlives: true}, Timeout: 15 * time.Second}
	response, err := client.Post(url, contentType, bytes.NewReader(body))
	if err != nil {
		return err.Error()
	}
	defer response.Body.Close()
	return strconv.Itoa(response.StatusCode)
}
