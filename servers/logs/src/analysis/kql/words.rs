//! The words of KQL that the guard must tell apart. Keywords as in version 12.4.1 of Microsoft's parser.

/// Keywords that may also be names.
const ALSO_NAMES: &str = "__partitionby access alias best_effort bin bool consume count database dataformat \
    datetime_pattern declare default distinct edges entity_group evaluate extend facet filter fork from getschema graph \
    guid id inline_external_table join let limit lookup mvapply mvexpand nodes null nulls on optional order output pack \
    parse partition pattern plotly query_parameters range reduce regex render restrict scan serialize sort step \
    summarize take top typeof uuid view with with_node_id";

/// Keywords that are never names.
const RESERVED: &str = "!between !contains !contains_cs !endswith !endswith_cs !has !has_cs !hasprefix !hasprefix_cs \
    !hassuffix !hassuffix_cs !in !in~ !startswith !startswith_cs __contextual_datatable __crossCluster __crossDB \
    __executeAndCache __id __isFuzzy __noWithSource __packedColumn __projectAway __sourceColumnIndex accumulate and \
    anomalychart areachart as asc assert-schema bagexpansion barchart between bin_legacy boolean by byte cachingpolicy \
    callout cancel card char columnchart commands-and-queries contains contains_cs containscs cycles dataexport \
    datascope datatable date datetime decimal decodeblocks desc double dynamic earliest encodingpolicy endswith \
    endswith_cs expandoutput extent_tags_retention external_data externaldata find first flags float force_remote \
    granny-asc granny-desc graph-mark-components graph-match graph-shortest-paths graph-to-table graph-where-edges \
    graph-where-nodes harddelete hardretention has has_all has_any has_cs hasprefix hasprefix_cs hassuffix hassuffix_cs \
    hint.concurrency hint.distribution hint.materialized hint.num_partitions hint.progressive_top hint.remote \
    hint.shufflekey hint.spread hint.strategy hotcache in int int16 int32 int64 int8 invoke in~ isfuzzy journal kind \
    ladderchart last latest like likecs linechart long macro-expand make-graph make-series materialize \
    materialized-view-combine materialized-views mdm missing mv-apply mv-expand nooptimization notcontains \
    notcontainscs notlike notlikecs of or others parse-kv parse-where partitioned-by pathformat piechart pivotchart \
    print project project-away project-by-names project-keep project-rename project-reorder project-smart queries \
    query_results real relaxed restricted_view_access row_level_security rowstore rowstore_references \
    rowstore_sealinfo rowstorepolicy rowstores sample sample-distinct scatterchart seal seals search set set-or-append \
    set-or-replace shards simple softdelete softretention sql stackedareachart startswith startswith_cs statistics \
    storedqueryresultcontainers string tablepurge time timechart timeline timepivot timespan title to top-hitters \
    top-nested toscalar totable treemap uint uint16 uint32 uint64 uint8 ulong union uniqueid unrestrictedviewers verbose \
    viewers views where with_itemindex with_match_id with_source with_step_name withsource writeaheadlog";

/// The one keyword with a space in it.
const MATCHES_REGEX: &str = "matches regex";

/// Functions that only compute on their arguments, or name something in the same database.
const FUNCTIONS: &str = "table materialized_view stored_query_result \
    strcat strcat_array array_strcat strcat_delim strcmp strrep strlen string_size toupper tolower to_utf8 \
    unicode_codepoints_from_string substring regex_quote indexof indexof_regex has_any_index reverse split \
    parse_command_line extract extractall extract_all extractjson extract_json replace replace_regex replace_string \
    replace_strings trim_start trim_end trim countof translate make_string unicode_codepoints_to_string \
    datetime_local_to_utc datetime_utc_to_local datetime_list_timezones tostring tohex todynamic toobject tolong toint \
    toreal todouble todatetime totimespan totime tobool toboolean todecimal toguid gettype url_encode \
    url_encode_component url_decode base64_encodestring base64_encode_tostring base64_decode_toarray \
    base64_encode_fromarray base64_decodestring base64_decode_tostring base64_decode_toguid base64_encode_fromguid \
    zlib_decompress_from_base64_string zlib_compress_to_base64_string gzip_decompress_from_base64_string \
    gzip_compress_to_base64_string parse_csv parsejson parse_json parse_xml parseurl parse_url parseurlquery \
    parse_urlquery parse_ipv4 parse_ipv4_mask parse_ipv6 parse_ipv6_mask parse_path parse_user_agent parse_version \
    format_datetime format_timespan make_datetime make_timespan datetime_add datetime_diff dayofweek dayofmonth \
    dayofyear hourofday weekofyear week_of_year monthofyear startofday startofweek startofmonth startofyear endofday \
    endofweek endofmonth endofyear getyear getmonth datepart datetime_part now ago unixtime_seconds_todatetime \
    unixtime_milliseconds_todatetime unixtime_microseconds_todatetime unixtime_nanoseconds_todatetime hash hash_sha256 \
    hash_md5 hash_sha1 hash_xxhash64 hash_combine hash_many iif iff case assert bin floor bin_at bin_auto not notnull \
    isnotnull isnull notempty iscolumnexists isascii isutf8 isnotempty isempty columnifexists column_ifexists around \
    binary_and binary_or binary_xor binary_not binary_shift_right binary_shift_left bitset_count_ones treepath repeat \
    arraylength array_length range array_concat array_iif array_iff array_index_of array_slice array_split \
    array_shift_left array_shift_right array_reverse array_rotate_left array_rotate_right array_sort_asc \
    array_sort_desc bag_keys zip pack pack_dictionary bag_pack bag_pack_columns pack_all pack_array set_has_element \
    set_union set_intersect set_difference set_equals bag_merge dynamic_to_json bag_remove_keys bag_has_key \
    jaccard_index bag_set_key bag_zip punycode_to_string punycode_from_string punycode_domain_from_string \
    punycode_domain_to_string percentile_tdigest percentiles_array_tdigest percentrank_tdigest rank_tdigest \
    tdigest_isvalid hll_isvalid tdigest_merge merge_tdigest hll_merge dcount_hll series_fir series_stats \
    series_stats_dynamic series_fft series_ifft series_fit_line series_fit_line_dynamic series_fit_2lines \
    series_fit_2lines_dynamic series_outliers series_iir series_periods_detect series_periods_validate \
    series_fill_backward series_fill_forward series_fill_const series_fill_linear series_fit_poly series_add \
    series_subtract series_multiply series_divide series_pow series_greater series_greater_equals series_less \
    series_less_equals series_equals series_not_equals series_exp series_sign series_abs series_sin series_asin \
    series_cos series_acos series_tan series_atan series_magnitude series_sum series_product series_log series_floor \
    series_ceiling array_sum series_seasonal series_decompose series_decompose_forecast series_decompose_anomalies \
    series_pearson_correlation series_dot_product series_cosine_similarity round ceiling pow sqrt log log2 log10 exp \
    exp2 exp10 pi cos sin tan acos asin atan atan2 abs cot degrees radians sign rand beta_cdf beta_inv beta_pdf gamma \
    loggamma erf erfc isnan isinf isfinite coalesce max_of min_of welch_test ipv4_compare ipv4_is_match ipv6_compare \
    ipv4_is_private ipv6_is_match ipv6_is_in_range ipv6_is_in_any_range ipv4_is_in_range ipv4_is_in_any_range \
    ipv4_netmask_suffix format_ipv4 format_ipv4_mask format_bytes convert_angle convert_energy convert_force \
    convert_length convert_mass convert_speed convert_temperature convert_volume current_database extent_id extentid \
    extent_tags ingestion_time row_id has_ipv4 has_ipv4_prefix has_any_ipv4 has_any_ipv4_prefix \
    ipv4_range_to_cidr_list row_number row_cumsum row_rank row_rank_dense row_rank_min row_window_session prev next \
    geo_distance_2points geo_point_in_circle geo_point_in_polygon geo_point_to_geohash geo_geohash_to_central_point";

/// Functions that aggregate.
const AGGREGATES: &str = "sum sumif cnt count countif dcount dcountif tdigest tdigest_merge merge_tdigest hll hll_if \
    hll_merge min minif max maxif avg avgif makelist make_list make_list_if make_list_with_nulls makeset make_set \
    make_set_if make_dictionary make_bag make_bag_if buildschema percentile percentiles percentiles_array percentilew \
    percentilesw percentilesw_array stdev stdevif stdevp variance varianceif variancep variancepif covariance \
    covarianceif covariancep any take_any anyif take_anyif arg_min arg_max argmin argmax binary_all_or binary_all_and \
    binary_all_xor count_distinct count_distinctif";

/// Plugins of `evaluate` that work on the rows they are given and call nobody.
pub(super) const PLUGINS: &[&str] = &[
    "active_users_count",
    "activity_counts_metrics",
    "activity_engagement",
    "activity_metrics",
    "autocluster",
    "bag_unpack",
    "basket",
    "dcount_intersect",
    "diffpatterns",
    "funnel_sequence",
    "funnel_sequence_completion",
    "ipv4_lookup",
    "ipv6_lookup",
    "narrow",
    "new_activity_metrics",
    "pivot",
    "rolling_percentile",
    "rows_near",
    "sequence_detect",
    "session_count",
    "sliding_window_counts",
];

/// Functions that reach elsewhere: nothing may be called so, lest one be taken for the other.
pub(super) const NEVER_DECLARED: &[&str] = &[
    "cluster",
    "database",
    "external_table",
    "externaldata",
    "external_data",
    "inline_external_table",
    "entity_group",
    "graph",
];

/// Comparisons of text that take one operand on each side.
pub(super) const STRING_OPERATORS: &[&str] = &[
    "contains",
    "containscs",
    "contains_cs",
    "endswith",
    "endswith_cs",
    "has",
    "has_cs",
    "hasprefix",
    "hasprefix_cs",
    "hassuffix",
    "hassuffix_cs",
    "like",
    "likecs",
    MATCHES_REGEX,
    "notcontains",
    "notcontainscs",
    "!contains",
    "!contains_cs",
    "!endswith",
    "!endswith_cs",
    "!has",
    "!has_cs",
    "!hasprefix",
    "!hasprefix_cs",
    "!hassuffix",
    "!hassuffix_cs",
    "notlike",
    "notlikecs",
    "!startswith",
    "!startswith_cs",
    "startswith",
    "startswith_cs",
    ":",
    "=~",
    "!~",
];

/// Types a column or parameter may have.
pub(super) const TYPES: &[&str] = &[
    "bool", "boolean", "date", "datetime", "decimal", "double", "dynamic", "guid", "int", "int64", "int8",
    "long", "real", "string", "time", "timespan", "uniqueid",
];

/// Keywords that begin a literal when a parenthesis follows at once.
pub(super) const TYPED_LITERALS: &[&str] = &[
    "long", "int64", "int", "int32", "real", "double", "decimal", "bool", "datetime", "date", "time",
    "timespan", "guid",
];

/// Units of a span of time written as a number.
pub(super) const UNITS: &[&str] = &[
    "m",
    "min",
    "minute",
    "minutes",
    "s",
    "sec",
    "second",
    "seconds",
    "d",
    "day",
    "days",
    "h",
    "hr",
    "hrs",
    "hour",
    "hours",
    "ms",
    "milli",
    "millis",
    "millisec",
    "millisecond",
    "milliseconds",
    "micro",
    "micros",
    "microsec",
    "microsecond",
    "microseconds",
    "nano",
    "nanos",
    "nanosec",
    "nanosecond",
    "nanoseconds",
    "tick",
    "ticks",
];

/// Kinds of charts that `render` knows.
pub(super) const CHARTS: &[&str] = &[
    "table",
    "list",
    "barchart",
    "piechart",
    "ladderchart",
    "timechart",
    "linechart",
    "anomalychart",
    "pivotchart",
    "areachart",
    "stackedareachart",
    "scatterchart",
    "timepivot",
    "columnchart",
    "timeline",
    "card",
    "treemap",
];

/// The longest keyword at the beginning of the text, as the parser's lexer finds it.
pub(super) fn keyword_at(rest: &str) -> Option<&'static str> {
    let words = ALSO_NAMES.split_ascii_whitespace().chain(RESERVED.split_ascii_whitespace());
    words.chain([MATCHES_REGEX]).filter(|word| rest.starts_with(*word)).max_by_key(|word| word.len())
}

/// Whether this keyword may be a name.
pub(super) fn also_name(keyword: &str) -> bool {
    ALSO_NAMES.split_ascii_whitespace().any(|word| word == keyword)
}

/// Whether calling this function is harmless.
pub(super) fn harmless(function: &str) -> bool {
    FUNCTIONS
        .split_ascii_whitespace()
        .chain(AGGREGATES.split_ascii_whitespace())
        .any(|known| known == function)
}

/// Names of all functions that may be called, for a suggestion.
pub(super) fn functions() -> impl Iterator<Item = &'static str> {
    FUNCTIONS.split_ascii_whitespace().chain(AGGREGATES.split_ascii_whitespace())
}
