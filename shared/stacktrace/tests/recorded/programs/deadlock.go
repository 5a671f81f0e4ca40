// Waits for what never comes; without net/http the runtime notices.
package main

import "sync"

func wait(group *sync.WaitGroup) { group.Wait() }

func main() {
	var group sync.WaitGroup
	group.Add(1)
	wait(&group)
}
