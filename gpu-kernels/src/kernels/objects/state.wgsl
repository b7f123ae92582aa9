// The search for the value of one rank in each object: its highest digits, the rank among the pixels that begin with them, and how
// many pixels have the last digit that was found.
struct Search { prefix: u32, rank: u32, ties: u32, unused: u32 }
