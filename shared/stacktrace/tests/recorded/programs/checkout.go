// One argument says which failure.
package main

import (
	"errors"
	"fmt"
	"net/http"
	"net/http/httptest"
	"os"
	"runtime/debug"
)

type Cart struct{ total int }

type Pool[T any] struct{ items []T }

func (p *Pool[T]) Acquire(i int) T { return p.items[i] }

func (c *Cart) Charge() int { return c.total }

func place(order string) { var c *Cart; fmt.Println(order, c.Charge()) }

type Odd struct{ Code int }

func rethrow() {
	defer func() {
		if r := recover(); r != nil {
			panic(fmt.Errorf("checkout failed: %w", errors.New("pool exhausted")))
		}
	}()
	panic("pool exhausted")
}

func overflow(n int) int { return overflow(n+1) + 1 }

func main() {
	switch os.Args[1] {
	case "nil":
		func() { place("A-17") }()
	case "index":
		(&Pool[int]{items: []int{1, 2, 3}}).Acquire(5)
	case "rethrow":
		rethrow()
	case "custom":
		panic(Odd{Code: 7})
	case "goroutine":
		done := make(chan bool)
		go func() { place("A-18") }()
		<-done
	case "overflow":
		fmt.Println(overflow(0))
	case "stack":
		defer func() {
			if r := recover(); r != nil {
				fmt.Printf("recovered: %v\n%s", r, debug.Stack())
			}
		}()
		place("A-19")
	case "http":
		server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) { place("A-20") }))
		_, err := http.Get(server.URL)
		_ = err
		server.Close()
	}
}
