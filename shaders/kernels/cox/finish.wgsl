// requires: join, order, u.n, workgroup_size, x, event
