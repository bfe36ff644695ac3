"""Names of functions that NumPy, SciPy and PyTorch have: what is said of one of them must not be a guess."""

# ruff: noqa: SIM905 - a list of six hundred quoted words would be no easier to read

from __future__ import annotations

NUMPY = frozenset(
    (
        "abs absolute acos acosh add all allclose amax amin angle any append apply_along_axis apply_over_axes "
        "arange arccos arccosh arcsin arcsinh arctan arctan2 arctanh argmax argmin argpartition argsort "
        "argwhere around array array2string array_equal array_equiv array_repr array_split array_str "
        "asanyarray asarray asarray_chkfinite ascontiguousarray asfortranarray asin asinh asmatrix astype "
        "atan atan2 atanh atleast_1d atleast_2d atleast_3d average bartlett base_repr binary_repr bincount "
        "bitwise_and bitwise_count bitwise_invert bitwise_left_shift bitwise_not bitwise_or "
        "bitwise_right_shift bitwise_xor blackman block bmat broadcast_arrays broadcast_shapes broadcast_to "
        "busday_count busday_offset can_cast cbrt ceil cholesky choose clip column_stack common_type compress "
        "concat concatenate cond conj conjugate convolve copy copysign copyto corrcoef correlate cos cosh "
        "count_nonzero cov cross cumprod cumsum cumulative_prod cumulative_sum datetime_as_string "
        "datetime_data deg2rad degrees delete det diag diag_indices diag_indices_from diagflat diagonal diff "
        "digitize divide divmod dot dsplit dstack ediff1d eig eigh eigvals eigvalsh einsum einsum_path empty "
        "empty_like equal exp exp2 expand_dims expm1 extract eye fabs fft fft2 fftfreq fftn fftshift "
        "fill_diagonal fix flatnonzero flip fliplr flipud float_power floor floor_divide fmax fmin fmod "
        "format_float_positional format_float_scientific frexp from_dlpack frombuffer fromfile fromfunction "
        "fromiter frompyfunc fromregex fromstring full full_like gcd genfromtxt geomspace get_include "
        "get_printoptions getbufsize geterr geterrcall gradient greater greater_equal hamming hanning "
        "heaviside hfft histogram histogram2d histogram_bin_edges histogramdd hsplit hstack hypot i0 identity "
        "ifft ifft2 ifftn ifftshift ihfft imag indices info inner insert interp intersect1d inv invert irfft "
        "irfft2 irfftn is_busday isclose iscomplex iscomplexobj isdtype isfinite isfortran isin isinf isnan "
        "isnat isneginf isposinf isreal isrealobj isscalar issubdtype iterable ix_ kaiser kron lcm ldexp "
        "left_shift less less_equal lexsort linspace load loadtxt log log10 log1p log2 logaddexp logaddexp2 "
        "logical_and logical_not logical_or logical_xor logspace lstsq mask_indices matmul matrix_norm "
        "matrix_power matrix_rank matrix_transpose matvec max maximum may_share_memory mean median meshgrid "
        "min min_scalar_type minimum mintypecode mod modf moveaxis multi_dot multiply nan_to_num nanargmax "
        "nanargmin nancumprod nancumsum nanmax nanmean nanmedian nanmin nanpercentile nanprod nanquantile "
        "nanstd nansum nanvar ndim negative nested_iters nextafter nonzero norm not_equal ones ones_like "
        "outer packbits pad partition percentile permute_dims piecewise pinv place poly polyadd polyder "
        "polydiv polyfit polyint polymul polysub polyval positive pow power printoptions prod promote_types "
        "ptp put put_along_axis putmask qr quantile rad2deg radians ravel ravel_multi_index real "
        "real_if_close reciprocal remainder repeat require reshape resize result_type rfft rfft2 rfftfreq "
        "rfftn right_shift rint roll rollaxis roots rot90 round row_stack save savetxt savez savez_compressed "
        "searchsorted select set_printoptions setbufsize setdiff1d seterr seterrcall setxor1d shape "
        "shares_memory show_config show_runtime sign signbit sin sinc sinh size slogdet solve sort "
        "sort_complex spacing split sqrt square squeeze stack std subtract sum svd svdvals swapaxes take "
        "take_along_axis tan tanh tensordot tensorinv tensorsolve test tile trace transpose trapezoid tri "
        "tril tril_indices tril_indices_from trim_zeros triu triu_indices triu_indices_from true_divide trunc "
        "typename union1d unique unique_all unique_counts unique_inverse unique_values unpackbits "
        "unravel_index unstack unwrap vander var vdot vecdot vecmat vector_norm vsplit vstack where zeros "
        "zeros_like"
    ).split()
)  # fmt: skip
SCIPY = frozenset(
    (
        "agm airy airye assoc_laguerre assoc_legendre_p bdtr bdtrc bdtri bdtrik bdtrin bei beip ber bernoulli "
        "berp besselpoly beta betainc betaincc betainccinv betaincinv betaln binom block_diag boxcox boxcox1p "
        "btdtria btdtrib cbrt chdtr chdtrc chdtri chdtriv chebyc chebys chebyt chebyu chndtr chndtridf "
        "chndtrinc chndtrix cho_factor cho_solve circulant comb cosdg cosm1 cotdg dawsn digamma diric "
        "ellip_harm ellip_harm_2 ellip_normal ellipe ellipeinc ellipj ellipk ellipkinc ellipkm1 elliprc "
        "elliprd elliprf elliprg elliprj entr erf erfc erfcinv erfcx erfi erfinv euler eval_chebyc "
        "eval_chebys eval_chebyt eval_chebyu eval_gegenbauer eval_genlaguerre eval_hermite eval_hermitenorm "
        "eval_jacobi eval_laguerre eval_legendre eval_sh_chebyt eval_sh_chebyu eval_sh_jacobi "
        "eval_sh_legendre exp1 exp10 exp2 expi expit expm expm1 expn exprel factorial factorial2 factorialk "
        "fdtr fdtrc fdtri fdtridfd fresnel gamma gammainc gammaincc gammainccinv gammaincinv gammaln gammasgn "
        "gdtr gdtrc gdtria gdtrib gdtrix gegenbauer genlaguerre geterr h1vp h2vp hankel1 hankel1e hankel2 "
        "hankel2e hermite hermitenorm hilbert huber hyp0f1 hyp1f1 hyp2f1 hyperu i0 i0e i1 i1e inv_boxcox "
        "inv_boxcox1p itairy itmodstruve0 itstruve0 iv ive ivp j0 j1 jacobi jn jv jve jvp k0 k0e k1 k1e kei "
        "keip kelvin ker kerp kl_div kn kolmogi kolmogorov kv kve kvp laguerre lambertw legendre legendre_p "
        "lmbda log1p log_expit log_ndtr log_softmax log_wright_bessel loggamma logit logm logsumexp lpmv lu "
        "lu_factor modfresnelm modfresnelp modstruve multigammaln nbdtr nbdtrc nbdtri nbdtrik nbdtrin ncfdtr "
        "ncfdtri ncfdtridfd ncfdtridfn ncfdtrinc nctdtr nctdtridf nctdtrinc nctdtrit ndtr ndtri ndtri_exp "
        "nrdtrimn nrdtrisd null_space orth owens_t pbdn_seq pbdv pbdv_seq pbvv pbvv_seq pbwa pdtr pdtrc pdtri "
        "pdtrik perm poch polar polygamma powm1 pseudo_huber psi radian rel_entr rgamma round seterr "
        "sh_chebyt sh_chebyu sh_jacobi sh_legendre shichi sici sinc sindg smirnov smirnovi softmax softplus "
        "spence sph_harm_y sph_legendre_p spherical_in spherical_jn spherical_kn spherical_yn sqrtm stdtr "
        "stdtridf stdtrit stirling2 struve tandg tklmbda toeplitz voigt_profile wofz wright_bessel "
        "wrightomega xlog1py xlogy y0 y1 yn yv yve yvp zeta zetac"
    ).split()
)  # fmt: skip
TORCH = frozenset(
    (
        "abs_ addmm as_tensor baddbmm broadcast_tensors bucketize cdist celu chunk conv1d conv2d "
        "cosine_similarity cummax cummin diag_embed dist embedding expand fill flatten frac from_numpy gather "
        "glu group_norm hardshrink hardswish index_select instance_norm is_tensor kthvalue layer_norm lerp "
        "linear lobpcg logcumsumexp logdet lu_solve masked_fill masked_select max_pool2d mode multinomial "
        "mvlgamma narrow normalize one_hot pairwise_distance pdist permute pinverse poisson prelu rand_like "
        "randperm rrelu scatter scatter_add selu sign_ smooth_l1_loss softmin softshrink square_ std_mean "
        "sum_ swapdims tanhshrink tensor tensor_split threshold topk trapz unbind unflatten unfold var_mean "
        "view_as vmap where_"
    ).split()
)  # fmt: skip
