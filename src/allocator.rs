//! The program's allocator: mimalloc 3, asked by sizes alone where these say enough.
//!
//! Asked with an alignment, as crate `mimalloc` always does, it takes a longer way and a larger block for each size that is no
//! power of two (`mi_malloc_is_naturally_aligned`): more than a third of all allocations of a parser.

use std::alloc::{GlobalAlloc, Layout};

use libmimalloc_sys::{
    mi_free, mi_malloc, mi_malloc_aligned, mi_realloc, mi_realloc_aligned, mi_zalloc, mi_zalloc_aligned,
};

/// mimalloc.
pub(crate) struct Allocator;

/// Whether a block is aligned as the layout wants, whatever it is asked for.
const fn is_aligned_by_size(layout: Layout) -> bool {
    layout.align() <= ALIGN_MAX && layout.align() <= layout.size()
}

// SAFETY: mimalloc's functions do what the trait asks for: blocks of at least the size, aligned to the alignment that is given;
// without one, to 8 bytes, and from 16 bytes on to 16, as C wants. All of them may be freed and made larger or smaller by either kind
// of function; null says that there is no memory.
unsafe impl GlobalAlloc for Allocator {
    #[inline]
    unsafe fn alloc(&self, layout: Layout) -> *mut u8 {
        // SAFETY: any size will do; alignments of layouts are powers of two.
        let block = unsafe {
            if is_aligned_by_size(layout) {
                mi_malloc(layout.size())
            } else {
                mi_malloc_aligned(layout.size(), layout.align())
            }
        };
        block.cast()
    }

    #[inline]
    unsafe fn alloc_zeroed(&self, layout: Layout) -> *mut u8 {
        // SAFETY: as above.
        let block = unsafe {
            if is_aligned_by_size(layout) {
                mi_zalloc(layout.size())
            } else {
                mi_zalloc_aligned(layout.size(), layout.align())
            }
        };
        block.cast()
    }

    #[inline]
    unsafe fn dealloc(&self, block: *mut u8, _layout: Layout) {
        // SAFETY: the caller has the block from here.
        unsafe { mi_free(block.cast()) };
    }

    #[inline]
    unsafe fn realloc(&self, block: *mut u8, layout: Layout, size: usize) -> *mut u8 {
        // SAFETY: the caller has the block from here. The new one has to be aligned by its own size.
        let block = unsafe {
            if is_aligned_by_size(layout) && layout.align() <= size {
                mi_realloc(block.cast(), size)
            } else {
                mi_realloc_aligned(block.cast(), size, layout.align())
            }
        };
        block.cast()
    }
}

/// `MI_MAX_ALIGN_SIZE`.
const ALIGN_MAX: usize = 16;
