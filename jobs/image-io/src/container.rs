//! The HDF5 file of one image set: multiscale images, label images and tables.
